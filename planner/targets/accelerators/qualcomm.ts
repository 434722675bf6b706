import { TFLITE_FILES } from '../litert-files.ts'
import type { Target } from '../target.ts'

export const QUALCOMM = {
  'qnn-htp': {
    ...TFLITE_FILES,
    accelerator: {
      title: 'Qualcomm Hexagon (HTP), QNN delegate',
      reached: { by: 'delegate', name: 'qnn' },
      takes: {
        numbers: 'integers-and-floats',
        edges: ['float32', 'int8', 'uint8'],
        weights: 'either',
        source:
          'docs.qualcomm.com 80-63442-10, acceleration support and release notes: 8-bit, and float16 where the chip has it',
      },
      operators: {
        known: false,
        source: 'docs.qualcomm.com 80-63442-10: its list changes with each SDK, and by chip',
      },
      compiler: null,
    },
  },
} as const satisfies Record<string, Target>
