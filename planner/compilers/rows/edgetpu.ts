import { type Compiler, NOTHING_REPORTED, numberIn } from '../compiler.ts'

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** Google's, for the Edge TPU; x86-64 only. */
export const EDGETPU_COMPILER: Compiler = {
  name: 'edgetpu_compiler',
  command: 'edgetpu_compiler',
  variable: 'FITMENT_EDGETPU_COMPILER',
  versionArguments: ['--version'],
  version: (said) => /version (\d+\.\S+)/i.exec(said)?.[1] ?? null,
  arguments: ({ model, out }) => ['-s', '-o', out, model],
  output: 'model_edgetpu.tflite',
  report: (said) => ({
    ...NOTHING_REPORTED,
    operators: operators(said),
    // Parameters that stay on the chip, and those that each inference fetches.
    sramBytes: bytesIn(said, /^On-chip memory used for caching model parameters: (\S+)$/m),
    dramBytes: bytesIn(
      said,
      /^Off-chip memory used for streaming uncached model parameters: (\S+)$/m,
    ),
  }),
  install:
    'apt install edgetpu-compiler from packages.cloud.google.com (coral.ai/docs/edgetpu/compiler), or name it with --compiler or in FITMENT_EDGETPU_COMPILER',
}

/** It counts both sides only where some operators stay behind. */
function operators(said: string): { accelerator: number; cpu: number } | null {
  const accelerator = numberIn(said, /^Number of operations that will run on Edge TPU: (\d+)/m)
  const cpu = numberIn(said, /^Number of operations that will run on CPU: (\d+)/m)
  if (accelerator !== null && cpu !== null) return { accelerator, cpu }
  const total = numberIn(said, /^Total number of operations: (\d+)/m)
  return total === null ? null : { accelerator: total, cpu: 0 }
}

function bytesIn(said: string, pattern: RegExp): number | null {
  const [, number, unit = ''] = /^([\d.]+)([KMG]?i?B)$/.exec(pattern.exec(said)?.[1] ?? '') ?? []
  const scale = UNITS[unit]
  return number === undefined || scale === undefined ? null : Math.round(Number(number) * scale)
}
