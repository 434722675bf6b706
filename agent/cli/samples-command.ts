import { resolve } from 'node:path'
import { writeNpz } from '../../shared/dataset/index.ts'
import { UsageError } from '../../shared/errors.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { type CapturedSample, readCaptured } from '../observe/index.ts'

export interface WrittenSamples {
  readonly model: string
  readonly file: string
  readonly samples: number
  /** Kept samples that are of other inputs or outputs than most, and so left out. */
  readonly leftOut: number
}

/**
 * `x` (or an array by the name of each input), `outputs` (or `outputs.<name>`), `time` in ms since 1970: samples first,
 * each flat as the application gave it. @throws UsageError where nothing was kept
 */
export async function writeSamples(
  stateDir: string,
  model: string,
  output: string,
): Promise<WrittenSamples> {
  if (!modelNameSchema.safeParse(model).success)
    throw new UsageError(`"${model}" is no name of a model`)
  const kept = await readCaptured(stateDir, model)
  const [first] = [...groupsOf(kept).values()].sort((a, b) => b.length - a.length)
  if (!first) {
    throw new UsageError(
      `nothing was kept of ${model}: does the agent run with --capture, and does the application tell its inputs?`,
    )
  }
  const file = resolve(output)
  await writeNpz(file, [
    ...arraysOf(
      first.map(({ inputs }) => inputs),
      'x',
      '',
    ),
    ...arraysOf(
      first.map(({ outputs }) => outputs),
      'outputs',
      'outputs.',
    ),
    ['time', timesOf(first)],
  ])
  return { model, file, samples: first.length, leftOut: kept.length - first.length }
}

/** Of one model all are alike, unless its inputs changed from one revision to the next. */
function groupsOf(samples: readonly CapturedSample[]): Map<string, CapturedSample[]> {
  const groups = new Map<string, CapturedSample[]>()
  for (const sample of samples) {
    const lengths = [sample.inputs, sample.outputs].map((ports) =>
      Object.entries(ports)
        .map(([name, { length }]) => [name, length])
        .sort(),
    )
    const key = JSON.stringify(lengths)
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  return groups
}

function arraysOf(
  rows: readonly Readonly<Record<string, readonly number[]>>[],
  alone: string,
  prefix: string,
): [string, Tensor][] {
  const names = Object.keys(rows[0] ?? {})
  return names.map((name) => {
    const width = rows[0]?.[name]?.length ?? 0
    const data = new Float32Array(rows.length * width)
    rows.forEach((row, i) => {
      data.set(row[name] ?? [], i * width)
    })
    const key = names.length === 1 ? alone : `${prefix}${name}`
    return [key, { type: 'float32', shape: [rows.length, width], data }]
  })
}

function timesOf(samples: readonly CapturedSample[]): Tensor {
  const data = BigInt64Array.from(samples, ({ at }) => BigInt(Date.parse(at)))
  return { type: 'int64', shape: [samples.length], data }
}
