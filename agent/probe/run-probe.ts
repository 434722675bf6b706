import type { ProbeRecord } from '../../shared/measure/index.ts'
import { measureAlternating } from './alternating.ts'
import { ChildProcessWatch, type ProbeWatch } from './child-watch.ts'
import { ProbeError } from './errors.ts'
import type { ProbeRequest } from './request.ts'
import { keepSpare } from './spare-child.ts'
import { tryThreads } from './try-threads.ts'

/**
 * Measures one variant in a child process. Whatever the variant does, crash, hang or eat memory, this resolves or
 * rejects in about `timeoutMs` and leaves no process behind.
 * One probe at a time: two measure each other.
 * @throws ProbeError
 */
export async function runProbe(
  request: ProbeRequest,
  watch: ProbeWatch = {},
): Promise<ProbeRecord> {
  const measure = (one: ProbeRequest) => new ChildProcessWatch(one, watch).result()
  const { request: tuned, tried } = await tryThreads(request, measure)
  const record = await measureOne(tuned, measure)
  if (watch.more) keepSpare()
  return tried.length === 0 ? record : { ...record, tried }
}

/** In turns with its baseline; where the two do not fit into one process, in processes that take turns. */
export async function measureOne(
  request: ProbeRequest,
  measure: (one: ProbeRequest) => Promise<ProbeRecord>,
): Promise<ProbeRecord> {
  try {
    return await measure(request)
  } catch (error) {
    if (request.baseline === null || !mayFareBetterAlone(error)) throw error
    return await measureAlternating(request, measure)
  }
}

/** The variant itself ran; with the baseline beside it there was not room enough, or the two do not go together. */
function mayFareBetterAlone(error: unknown): boolean {
  if (!(error instanceof ProbeError)) return false
  const phase = String(error.details.phase)
  if (error.code === 'out-of-memory') return ['loading-baseline', 'measuring'].includes(phase)
  return phase === 'loading-baseline' && error.code !== 'cancelled' && error.code !== 'timeout'
}
