import type { ProbeRecord } from '../../shared/measure/index.ts'
import { median } from './median.ts'

export interface DeviceRecord {
  readonly device: string
  readonly record: ProbeRecord
}

export interface ClassSummary {
  readonly latency: {
    readonly p50Ms: number
    readonly ci95: [number, number]
    readonly ratio: { readonly p50: number; readonly ci95: [number, number] } | null
  }
  /** Of the neediest device. */
  readonly memoryBytes: number
  readonly quality: {
    readonly samples: number
    readonly accuracy: number | null
    readonly agreement: number | null
    readonly sqnrDb: number | null
    /** What the metric reaches that was chosen; null where none was, or devices know it not. */
    readonly metric: number | null
  }
  readonly devices: number
  readonly notes: readonly string[]
}

/**
 * One row per class: the median over devices of each device's median.
 * Records that are not `ok` count only where a class has no others, and then it is said.
 * Undefined without a usable record.
 */
export function summarise(records: readonly DeviceRecord[]): ClassSummary | undefined {
  const usable = records.filter(({ record }) => record.verdict !== 'invalid')
  const clean = usable.filter(({ record }) => record.verdict === 'ok')
  const taken = clean.length > 0 ? clean : usable
  if (taken.length === 0) return undefined
  // A device measured again: its newest record speaks for it.
  const perDevice = [...new Map(taken.map(({ device, record }) => [device, record])).values()]
  const middle = (read: (record: ProbeRecord) => number | null) =>
    median(perDevice.flatMap((record) => read(record) ?? [])) ?? null
  const ratios = perDevice.flatMap(({ ratioToBaseline }) => ratioToBaseline ?? [])
  return {
    latency: {
      p50Ms: middle((r) => r.latency.p50Ms) ?? 0,
      ci95: [middle((r) => r.latency.p50Ci95[0]) ?? 0, middle((r) => r.latency.p50Ci95[1]) ?? 0],
      ratio:
        ratios.length === 0
          ? null
          : {
              p50: median(ratios.map((r) => r.p50)) ?? 1,
              ci95: [
                median(ratios.map((r) => r.ci95[0])) ?? 1,
                median(ratios.map((r) => r.ci95[1])) ?? 1,
              ],
            },
    },
    memoryBytes: Math.max(...perDevice.map(memoryOf)),
    quality: {
      samples: middle((r) => r.quality.samples) ?? 0,
      accuracy: middle((r) => r.quality.accuracy),
      agreement: middle((r) => r.quality.agreement),
      sqnrDb: middle((r) => r.quality.sqnrDb),
      metric: middle((r) => r.quality.metric?.value ?? null),
    },
    devices: perDevice.length,
    notes: notesOn(records, usable, clean),
  }
}

/** What runtime and model add to a process; older agents tell only the whole process. */
function memoryOf({ memory, peakMemoryBytes }: ProbeRecord): number {
  return memory?.overBaseBytes ?? peakMemoryBytes
}

function notesOn(
  all: readonly DeviceRecord[],
  usable: readonly DeviceRecord[],
  clean: readonly DeviceRecord[],
): readonly string[] {
  const verdicts = (list: readonly DeviceRecord[]) =>
    [...new Set(list.map(({ record }) => record.verdict))].join(', ')
  if (clean.length === 0) return [`every record is ${verdicts(usable)}: the figures are uncertain`]
  const excluded = all.filter(({ record }) => record.verdict !== 'ok')
  if (excluded.length === 0) return []
  return [
    `left out ${excluded.length} record${excluded.length === 1 ? '' : 's'} (${verdicts(excluded)})`,
  ]
}
