import type { TextArray } from '../dataset/index.ts'
import type { Tensor } from '../tensors.ts'
import type { CapturedSample, Ports } from './captured-sample.ts'

/** A sample and whose it is. */
export interface FiledSample extends Pick<CapturedSample, 'at' | 'why'> {
  readonly inputs: Ports
  readonly outputs: Ports
  readonly device?: string
  /** By the planner's clock, where it was collected. */
  readonly receivedAt?: string
}

export interface SamplesFile {
  readonly arrays: readonly (readonly [string, Tensor | TextArray])[]
  readonly samples: number
  /** Samples that are of other inputs or outputs than most, and so left out. */
  readonly leftOut: number
}

/**
 * `x` (or an array by the name of each input), `outputs` (or `outputs.<name>`), `time` in ms since 1970, `reason`, and
 * where they were collected `device` and `received`: samples first, each flat as the application gave it.
 */
export function samplesFile(all: readonly FiledSample[]): SamplesFile {
  const [rows = []] = [...groupsOf(all).values()].sort((a, b) => b.length - a.length)
  const collected = rows.every(({ device, receivedAt }) => device && receivedAt)
  return {
    samples: rows.length,
    leftOut: all.length - rows.length,
    arrays: [
      ...arraysOf(
        rows.map(({ inputs }) => inputs),
        'x',
        '',
      ),
      ...arraysOf(
        rows.map(({ outputs }) => outputs),
        'outputs',
        'outputs.',
      ),
      ['time', timesOf(rows.map(({ at }) => at))],
      ['reason', { text: rows.map(({ why }) => why) }],
      ...(collected
        ? ([
            ['device', { text: rows.map(({ device = '' }) => device) }],
            ['received', timesOf(rows.map(({ receivedAt = '' }) => receivedAt))],
          ] as const)
        : []),
    ],
  }
}

/** Of one model all are alike, unless its inputs changed from one revision to the next. */
function groupsOf(samples: readonly FiledSample[]): Map<string, FiledSample[]> {
  const groups = new Map<string, FiledSample[]>()
  for (const sample of samples) {
    const lengths = [sample.inputs, sample.outputs].map((ports) =>
      Object.entries(ports)
        .map(([name, { length }]) => [name, length])
        .sort(),
    )
    const key = JSON.stringify(lengths)
    const group = groups.get(key)
    if (group) group.push(sample)
    else groups.set(key, [sample])
  }
  return groups
}

function arraysOf(rows: readonly Ports[], alone: string, prefix: string): [string, Tensor][] {
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

function timesOf(times: readonly string[]): Tensor {
  const data = BigInt64Array.from(times, (at) => BigInt(Date.parse(at)))
  return { type: 'int64', shape: [times.length], data }
}
