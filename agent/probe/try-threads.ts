import { coreGroups, keptOn, settingsToTry } from '../../shared/cores/index.ts'
import { bestSetting, type ProbeRecord } from '../../shared/measure/index.ts'
import { ProbeError } from './errors.ts'
import { LATENCY_ALONE, type ProbeRequest } from './request.ts'

/** Of the time for latency, what one setting takes; and the least of it, ms. */
const SHARE = 1 / 4
const LEAST_MS = 150

type Measure = (one: ProbeRequest) => Promise<ProbeRecord>
type Trials = NonNullable<ProbeRecord['tried']>

/**
 * Measures the variant shortly with each number of threads, and on the large cores alone where there are smaller ones, each
 * in a process of its own: runtimes do not change their threads. The request then asks for the best of them. A setting
 * that fails is left out; where all do, the request stays as it is, and its own failure says why.
 * @throws ProbeError `cancelled`
 */
export async function tryThreads(
  request: ProbeRequest,
  measure: Measure,
): Promise<{ readonly request: ProbeRequest; readonly tried: Trials }> {
  if (request.tryThreads !== true) return { request, tried: [] }
  const started = performance.now()
  const measureMs = Math.max(LEAST_MS, SHARE * request.measureMs)
  const short = { ...request, ...LATENCY_ALONE, measureMs }
  const tried: Trials = []
  for (const setting of settingsHere(request)) {
    // What is left must do for the measurement itself.
    if (performance.now() - started > request.timeoutMs / 2) break
    const { threads, cores } = setting
    const record = await unlessItFails({ ...short, threads, cores: cores ?? undefined }, measure)
    if (record === undefined) continue
    const { p50Ms, p50Ci95 } = record.latency
    tried.push({ threads, cores, p50Ms, ci95: p50Ci95 })
  }
  const best = bestSetting(tried)
  if (best === undefined) return { request, tried }
  const { threads, cores } = best
  return { request: { ...request, threads, cores: cores ?? undefined }, tried }
}

function settingsHere({ root, threads }: ProbeRequest) {
  return settingsToTry(coreGroups(root), threads, keptOn([0]) !== undefined).map((one) => ({
    ...one,
    cores: one.cores && [...one.cores],
  }))
}

async function unlessItFails(
  request: ProbeRequest,
  measure: Measure,
): Promise<ProbeRecord | undefined> {
  try {
    return await measure(request)
  } catch (error) {
    if (error instanceof ProbeError && error.code !== 'cancelled') return undefined
    throw error
  }
}
