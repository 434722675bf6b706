import { z } from 'zod'
import { formatBytes } from '../../shared/units.ts'
import { printLeft } from '../targets/index.ts'

/** Null where the compiler does not tell. */
const figure = z.number().nonnegative().nullable()

/** What a compiler made of a model: kept with the variant, and printed. */
export const compilerReportSchema = z.object({
  compiler: z.string(),
  version: z.string(),
  /** As the compiler counts, which may split the model's operators. */
  operators: z.object({ accelerator: z.int().nonnegative(), cpu: z.int().nonnegative() }),
  /** How many of each kind are still in the file, for the CPU. */
  left: z.record(z.string(), z.int().positive()),
  /** Pieces of the graph on the accelerator, each with a border in and out. */
  partitions: z.int().positive(),
  sramBytes: figure,
  dramBytes: figure,
  flashBytes: figure,
  /** Estimates, of one inference. */
  cycles: figure,
  inferenceMs: figure,
  /** Whether it ran cut off from the network; not every system allows that. */
  withoutNetwork: z.boolean(),
})
export type CompilerReport = z.infer<typeof compilerReportSchema>

/** One line. */
export function printReport(report: CompilerReport): string {
  const { compiler, version, operators, left, sramBytes, dramBytes, flashBytes } = report
  const kinds = printLeft(left)
  const memory = [
    ['SRAM', sramBytes],
    ['DRAM', dramBytes],
    ['flash', flashBytes],
  ] as const
  return [
    `${compiler} ${version}: ${operators.accelerator} of ${operators.accelerator + operators.cpu} operators on the accelerator`,
    ...(kinds === '' ? [] : [`${kinds} on the CPU`]),
    ...memory.flatMap(([name, bytes]) => (bytes ? `${formatBytes(bytes)} of ${name}` : [])),
    ...(report.cycles === null ? [] : [`${report.cycles} cycles by its estimate`]),
    ...(report.inferenceMs === null ? [] : [`${report.inferenceMs.toPrecision(3)} ms`]),
  ].join(', ')
}
