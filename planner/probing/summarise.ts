import type { ProbeRecord } from '../../shared/measure/index.ts'
import type { Measured } from '../selection/index.ts'
import { isBehind, isUsable } from './attempts.ts'
import { median } from './median.ts'

export interface DeviceRecord {
  readonly device: string
  readonly record: ProbeRecord
  /** Key of what it was measured in turns with. */
  readonly rival?: string | null
}

export interface ClassSummary {
  readonly latency: Measured['latency'] & {
    readonly on: NonNullable<Measured['latency']['on']>
  }
  /** Of the neediest device. */
  readonly memoryBytes: number
  /** Of each device that answered, its record with the most answers. */
  readonly records: readonly DeviceRecord[]
  readonly devices: number
  readonly notes: readonly string[]
}

export interface SummaryOptions {
  /** Key of the float32 that its ratio is against; absent: whatever it was measured beside. */
  readonly yardstick?: string | null
  /** The operator ships on records that were disturbed. */
  readonly acceptNoise?: boolean
}

/**
 * One row per class: the median over devices of each device's median. Records that are not `ok` do not count; where
 * the operator accepts noise they do where a class has no others, and then it is said.
 * Undefined without a record that counts.
 */
export function summarise(
  records: readonly DeviceRecord[],
  { yardstick, acceptNoise = false }: SummaryOptions = {},
): ClassSummary | undefined {
  const clean = records.filter((one) => isUsable(one, false))
  const taken = clean.length > 0 ? clean : records.filter((one) => isUsable(one, acceptNoise))
  if (taken.length === 0) return undefined
  // A device measured again: its newest record speaks for it.
  const newest = newestOf(taken)
  const byItself = taken.filter((one) => !isBehind(one))
  const on = newest.map(({ device, record: { latency, evidence } }) => ({
    device,
    p50Ms: latency.p50Ms,
    ci95: latency.p50Ci95,
    ratio: ratioOn(device, taken, yardstick),
    ...(evidence?.spinMs !== undefined && { spinMs: evidence.spinMs }),
  }))
  const middle = (values: readonly number[]) => median(values) ?? 0
  const ratios = on.flatMap(({ ratio }) => ratio ?? [])
  return {
    latency: {
      p50Ms: middle(on.map(({ p50Ms }) => p50Ms)),
      ci95: [middle(on.map(({ ci95 }) => ci95[0])), middle(on.map(({ ci95 }) => ci95[1]))],
      ratio:
        ratios.length === 0
          ? null
          : {
              p50: middle(ratios.map(({ p50 }) => p50)),
              ci95: [
                middle(ratios.map(({ ci95 }) => ci95[0])),
                middle(ratios.map(({ ci95 }) => ci95[1])),
              ],
            },
      on,
    },
    memoryBytes: Math.max(
      ...newestOf(byItself.length > 0 ? byItself : taken).map(({ record }) => memoryOf(record)),
    ),
    records: mostAnswered(taken),
    devices: newest.length,
    notes: [...notesOn(records, clean), ...(byItself.length === 0 ? [NOT_ASKED] : [])],
  }
}

function newestOf(records: readonly DeviceRecord[]): readonly DeviceRecord[] {
  return [...new Map(records.map((one) => [one.device, one])).values()]
}

/** Of a candidate whose records are all of races that it lost. */
const NOT_ASKED =
  'surely slower than another: it answered one sample, and its memory is what it took beside others'

/** Of each device the record with the most answers, the newest of them: duels of a variant that answered before ask few. */
function mostAnswered(records: readonly DeviceRecord[]): readonly DeviceRecord[] {
  const most = new Map<string, DeviceRecord>()
  for (const one of records) {
    const known = most.get(one.device)
    if (!known || one.record.quality.samples >= known.record.quality.samples)
      most.set(one.device, one)
  }
  return [...most.values()]
}

/** The newest that was measured beside the yardstick. */
function ratioOn(
  device: string,
  records: readonly DeviceRecord[],
  yardstick: string | null | undefined,
): { p50: number; ci95: [number, number] } | null {
  const beside = records.filter(
    (one) => one.device === device && (yardstick === undefined || one.rival === yardstick),
  )
  const ratio = beside.map(({ record }) => record.ratioToBaseline).findLast((one) => one !== null)
  return ratio ? { p50: ratio.p50, ci95: ratio.ci95 } : null
}

/** What runtime and model add to a process; older agents tell only the whole process. */
function memoryOf({ memory, peakMemoryBytes }: ProbeRecord): number {
  return memory?.overBaseBytes ?? peakMemoryBytes
}

function notesOn(all: readonly DeviceRecord[], clean: readonly DeviceRecord[]): readonly string[] {
  const others = all.filter((one) => !isUsable(one, false))
  if (others.length === 0) return []
  const verdicts = [...new Set(others.map(({ record }) => record.verdict))].join(', ')
  if (clean.length === 0)
    return [`every record is ${verdicts}, accepted by --accept-noise: the figures are uncertain`]
  return [`left out ${others.length} record${others.length === 1 ? '' : 's'} (${verdicts})`]
}
