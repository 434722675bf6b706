import {
  type AnswerBits,
  type ProbeRecord,
  type QualityRecord,
  readBits,
  sqnrDb,
} from '../../shared/measure/index.ts'
import { mcnemarExact } from '../../shared/statistics/index.ts'

/** What a device answered differently from this host, on the very samples that both answered. */
export interface Difference {
  /** That both answered. */
  readonly samples: number
  /** Share of answers lost on the device: by the labels, by agreement with float32; null where there are none. */
  readonly accuracy: number | null
  readonly agreement: number | null
  /** dB lost. */
  readonly sqnrDb: number | null
  /** Exact McNemar test: may the answers that only one of the two got right be chance? Of accuracy, else of agreement. */
  readonly pValue: number
}

/**
 * Undefined where the device does not say which samples it answered, and did not answer all: then nothing can be
 * compared. Who was slower and answered fewer samples must not look worse for it.
 */
export function differenceFrom(
  host: QualityRecord,
  device: ProbeRecord['quality'],
): Difference | undefined {
  const [ours, theirs] = [host.answers, device.answers]
  if (ours && theirs) return bySample(ours, theirs, host, device)
  if (device.samples !== host.samples) return undefined
  const accuracy = less(host.accuracy, device.accuracy)
  const agreement = less(host.agreement, device.agreement)
  return {
    samples: host.samples,
    accuracy,
    agreement,
    sqnrDb: less(host.sqnrDb, device.sqnrDb),
    // Without the answers one by one: as if every difference went one way.
    pValue: mcnemarExact(Math.round(Math.abs(accuracy ?? agreement ?? 0) * host.samples), 0),
  }
}

function bySample(
  ours: AnswerBits,
  theirs: AnswerBits,
  host: QualityRecord,
  device: ProbeRecord['quality'],
): Difference | undefined {
  const both = intersection(ours.answered, theirs.answered)
  if (both.length === 0) return undefined
  const accuracy = discordant(both, ours.right, theirs.right)
  const agreement = discordant(both, ours.agreed, theirs.agreed)
  const tested = accuracy ?? agreement
  return {
    samples: both.length,
    accuracy: lostShare(accuracy, both.length),
    agreement: lostShare(agreement, both.length),
    sqnrDb: less(sqnrOn(both, host), device.sqnrDb),
    pValue: tested ? mcnemarExact(tested.onlyHost, tested.onlyDevice) : 1,
  }
}

interface Discordant {
  readonly onlyHost: number
  readonly onlyDevice: number
}

function discordant(
  samples: readonly number[],
  ours: string | undefined,
  theirs: string | undefined,
): Discordant | null {
  if (ours === undefined || theirs === undefined) return null
  const [here, there] = [readBits(ours), readBits(theirs)]
  return {
    onlyHost: samples.filter((i) => here.has(i) && !there.has(i)).length,
    onlyDevice: samples.filter((i) => there.has(i) && !here.has(i)).length,
  }
}

function lostShare(counts: Discordant | null, samples: number): number | null {
  return counts && (counts.onlyHost - counts.onlyDevice) / samples
}

/** Of this host over these samples; over all where it did not keep the errors one by one. */
function sqnrOn(samples: readonly number[], { answers, sqnrDb: overall }: QualityRecord) {
  const energies = answers?.energies
  if (!energies || energies.length === 0 || overall === null) return overall
  const sumOf = (values: readonly number[]) => samples.reduce((sum, i) => sum + (values[i] ?? 0), 0)
  return Math.min(...energies.map(({ signal, noise }) => sqnrDb(sumOf(signal), sumOf(noise))))
}

function intersection(a: string, b: string): number[] {
  const others = readBits(b)
  return [...readBits(a)].filter((i) => others.has(i))
}

function less(host: number | null, device: number | null): number | null {
  return host === null || device === null ? null : host - device
}
