import { RuntimeError } from '../errors.ts'
import type { LitertModule } from './bindings.ts'

/**
 * `LiteRtCpuKernelMode` of litert_cpu_options.h. The JavaScript API offers only XNNPACK (0); the C API below it
 * reads its options as text, in which a number for `kernel_mode` is legal.
 */
const KERNEL_MODES = { reference: 1, builtin: 2 } as const

export type KernelChoice = 'xnnpack' | keyof typeof KERNEL_MODES

const THREADS_LINE = 'num_threads = %d\n\0'
const KERNELS_LINE = 'kernel_mode = %d\n\0'

/**
 * Makes this instance write its number of threads as its kernel mode, a line of the same length: the only way
 * to switch XNNPACK off.
 * @returns what to pass as the number of threads from now on
 */
export function selectKernels(module: LitertModule, kernels: keyof typeof KERNEL_MODES): number {
  const heap = Buffer.from(module.HEAPU8.buffer)
  const at = heap.indexOf(THREADS_LINE, 0, 'latin1')
  if (at < 0 || heap.indexOf(THREADS_LINE, at + 1, 'latin1') >= 0)
    throw new RuntimeError(
      'runtime-missing',
      `this version of LiteRT cannot switch to its ${kernels} kernels: use xnnpack`,
    )
  heap.write(KERNELS_LINE, at, 'latin1')
  return KERNEL_MODES[kernels]
}
