import { TFLITE_FILES } from '../litert-files.ts'
import type { Target } from '../target.ts'
import { takesOnly } from './accelerator.ts'

export const EDGETPU = {
  edgetpu: {
    ...TFLITE_FILES,
    accelerator: {
      title: 'Coral Edge TPU',
      reached: { by: 'delegate', name: 'edgetpu' },
      takes: {
        numbers: 'integers',
        edges: ['int8', 'uint8'],
        weights: 'per-channel',
        source: 'coral.ai/docs/edgetpu/models-intro, model requirements',
      },
      // Sizes must be constant, and only the three innermost dimensions may exceed one.
      operators: takesOnly(
        [
          'conv',
          'depthwise-conv',
          'transpose-conv',
          'fully-connected',
          // LSTM of one direction alone; the quantizer leaves recurrent operators in float.
          'recurrent',
          'softmax',
          'logistic',
          'tanh',
          'l2-normalization',
          'add',
          'sub',
          'mul',
          'squared-difference',
          'maximum',
          'minimum',
          'prelu',
          'relu',
          'relu6',
          'relu-n1-to-1',
          'rsqrt',
          'mean',
          'sum',
          'reduce-max',
          'reduce-min',
          'average-pool',
          'max-pool',
          'resize-bilinear',
          'resize-nearest',
          'reshape',
          'squeeze',
          'expand-dims',
          'transpose',
          'slice',
          'strided-slice',
          'split',
          'pad',
          'space-to-depth',
          'concatenation',
          'pack',
          'quantize',
        ],
        'coral.ai/docs/edgetpu/models-intro, supported operations',
      ),
      compiler: {
        name: 'edgetpu_compiler',
        configuration: null,
        customOperator: 'edgetpu-custom-op',
      },
    },
  },
} as const satisfies Record<string, Target>
