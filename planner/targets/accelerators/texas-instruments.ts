import { TFLITE_FILES } from '../litert-files.ts'
import type { Target } from '../target.ts'
import { takesOnly } from './accelerator.ts'

const OPERATORS = 'TexasInstruments/edgeai-tidl-tools, docs/supported_ops_rts_versions.md'

export const TEXAS_INSTRUMENTS = {
  tidl: {
    ...TFLITE_FILES,
    accelerator: {
      title: 'TI C7x with matrix accelerator, TIDL delegate',
      reached: { by: 'delegate', name: 'tidl' },
      // Beside the file it wants a folder that TI's tools made of it; without one it takes no operator.
      takes: {
        numbers: 'integers-and-floats',
        edges: ['float32', 'int8', 'uint8'],
        weights: 'either',
        source: `${OPERATORS}: scales per channel on AM62A, AM68A and AM69A, not on AM68PA`,
      },
      operators: takesOnly(
        [
          'conv',
          'depthwise-conv',
          'transpose-conv',
          'fully-connected',
          'softmax',
          'logistic',
          'tanh',
          'add',
          'mul',
          // Where it stands for a clipped activation.
          'minimum',
          'relu',
          'relu6',
          'leaky-relu',
          'elu',
          'mean',
          'average-pool',
          'max-pool',
          'resize-bilinear',
          'resize-nearest',
          'reshape',
          'transpose',
          'pad',
          'depth-to-space',
          'concatenation',
          'arg-max',
        ],
        OPERATORS,
      ),
      compiler: null,
    },
  },
} as const satisfies Record<string, Target>
