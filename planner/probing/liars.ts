import type { ProbeRecord } from '../../shared/measure/index.ts'
import { formatMs } from '../../shared/units.ts'
import type { Attempt } from './attempts.ts'
import { median } from './median.ts'

/** So far off its class a device is no slow or fast one: it is broken, or it lies. */
const TIMES_OFF = 10
/** Devices that must agree with each other before a third one is the odd one out. */
const WITNESSES = 2
/** No runtime is called and comes back in less, ms. */
const LEAST_MS = 0.001

/**
 * Devices whose measurements are not believed, and why: figures that cannot be, or that lie ten times off those of all
 * others of the class. With two devices nobody can tell which one is wrong: both count, and their disagreement shows.
 */
export function notBelieved(attempts: readonly Attempt[]): ReadonlyMap<string, string> {
  const records = attempts.flatMap(({ device, variant, record }) =>
    record && record.verdict !== 'invalid' ? [{ device, variant, record }] : [],
  )
  const found = new Map<string, string>()
  for (const { device, record } of records) {
    const why = impossible(record)
    if (why !== undefined) found.set(device, why)
  }
  const rest = records.filter(({ device }) => !found.has(device))
  for (const device of new Set(rest.map((one) => one.device))) {
    const why = oddOneOut(device, rest)
    if (why !== undefined) found.set(device, why)
  }
  return found
}

function impossible({ latency, memory, peakMemoryBytes }: ProbeRecord): string | undefined {
  const { p50Ms, minMs, p50Ci95 } = latency
  const figures = [p50Ms, minMs, ...p50Ci95, memory?.overBaseBytes ?? peakMemoryBytes]
  if (figures.some((figure) => !Number.isFinite(figure) || figure < 0))
    return 'it reports figures below zero'
  if (p50Ms < LEAST_MS) return `it claims ${p50Ms} ms for a run: no call is that short`
  if (minMs > p50Ms || p50Ci95[0] > p50Ms || p50Ci95[1] < p50Ms)
    return 'its median lies outside what it says it measured'
  return undefined
}

interface Told {
  readonly device: string
  readonly variant: string
  readonly record: ProbeRecord
}

function oddOneOut(device: string, records: readonly Told[]): string | undefined {
  const own = records.filter((one) => one.device === device)
  const factors = own.flatMap(({ variant, record }) => {
    const others = new Map(
      records
        .filter((one) => one.variant === variant && one.device !== device)
        .map((one) => [one.device, one.record.latency.p50Ms]),
    )
    const middle = median([...others.values()])
    if (others.size < WITNESSES || middle === undefined) return []
    return [{ ours: record.latency.p50Ms, middle, factor: record.latency.p50Ms / middle }]
  })
  const typical = median(factors.map(({ factor }) => Math.log(factor)))
  const [one] = factors
  if (one === undefined || typical === undefined) return undefined
  if (Math.abs(typical) < Math.log(TIMES_OFF)) return undefined
  return `it reports ${formatMs(one.ours)} where others of its class take ${formatMs(one.middle)}`
}
