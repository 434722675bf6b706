import { OPENVINO_FILES } from '../openvino-files.ts'
import type { Target } from '../target.ts'

const GUIDE =
  'docs.openvino.ai/2025/openvino-workflow/running-inference/inference-devices-and-modes'

export const INTEL = {
  'openvino-gpu': {
    ...OPENVINO_FILES,
    filesOf: 'openvino',
    accelerator: {
      title: 'Intel GPU, OpenVINO',
      reached: { by: 'device', name: 'GPU' },
      takes: {
        numbers: 'integers-and-floats',
        edges: ['float32'],
        weights: 'either',
        source: `${GUIDE}/gpu-device.html`,
      },
      operators: {
        known: false,
        source: `${GUIDE}/gpu-device.html: a file whose operators it lacks does not compile`,
      },
      compiler: null,
    },
  },
  'openvino-npu': {
    ...OPENVINO_FILES,
    filesOf: 'openvino',
    accelerator: {
      title: 'Intel NPU, OpenVINO',
      reached: { by: 'device', name: 'NPU' },
      // It computes in float16 or 8 bits, and wants every size to be known.
      takes: {
        numbers: 'integers-and-floats',
        edges: ['float32'],
        weights: 'either',
        source: `${GUIDE}/npu-device.html`,
      },
      operators: {
        known: false,
        source: `${GUIDE}/npu-device.html: the driver's compiler refuses a file it cannot take whole`,
      },
      compiler: null,
    },
  },
} as const satisfies Record<string, Target>
