import { TFLITE_FILES } from '../litert-files.ts'
import type { Target } from '../target.ts'

/** Any delegate that no other row is of: planned like the runtime itself, and counted when it is measured. */
export const EXTERNAL = {
  external: {
    ...TFLITE_FILES,
    accelerator: {
      title: 'another delegate of TensorFlow Lite',
      reached: { by: 'delegate', name: 'external' },
      takes: {
        numbers: 'integers-and-floats',
        edges: ['float32', 'int8', 'uint8'],
        weights: 'either',
        source: 'nobody said: as the runtime takes it',
      },
      operators: { known: false, source: 'nobody said' },
      compiler: null,
    },
  },
} as const satisfies Record<string, Target>
