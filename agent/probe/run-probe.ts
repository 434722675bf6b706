import type { ProbeRecord } from '../../shared/measure/index.ts'
import { ChildProcessWatch, type ProbeWatch } from './child-watch.ts'
import { ProbeError } from './errors.ts'
import type { ProbeRequest } from './request.ts'

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
  try {
    return await new ChildProcessWatch(request, watch).result()
  } catch (error) {
    // The variant itself fits; with the baseline beside it there was not room enough.
    const roomForOne =
      error instanceof ProbeError &&
      error.code === 'out-of-memory' &&
      request.baseline !== null &&
      ['loading-baseline', 'measuring'].includes(String(error.details.phase))
    if (!roomForOne) throw error
    const record = await new ChildProcessWatch({ ...request, baseline: null }, watch).result()
    return { ...record, flags: [...record.flags, 'no-room-for-baseline'] }
  }
}
