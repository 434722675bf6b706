import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from './errors.ts'

export interface Repeated {
  readonly everyMs: number
  /** The longest pause after failures in a row, each of which doubles it; absent: none does. */
  readonly longestMs?: number
  /** Answers why it could not do all, or throws; undefined: all is well. */
  look(stopping: AbortSignal): Promise<string | undefined>
  /** @param failures in a row, this one among them */
  failed(why: string, failures: number): void
  /** After failures. */
  mended?(): void
}

const MOST_DOUBLINGS = 10

/** Looks at once and after each pause, until it is closed: then the look that is under way comes to its end. */
export function repeatedly(work: Repeated): { close(): Promise<void> } {
  const stop = new AbortController()
  const running = repeat(work, stop.signal)
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

async function repeat(work: Repeated, stopping: AbortSignal): Promise<void> {
  const { everyMs, longestMs = everyMs } = work
  let failures = 0
  while (!stopping.aborted) {
    const why = await work.look(stopping).catch(messageOf)
    if (stopping.aborted) return
    if (why !== undefined) {
      failures += 1
      work.failed(why, failures)
    } else if (failures > 0) {
      failures = 0
      work.mended?.()
    }
    const pause = Math.min(longestMs, everyMs * 2 ** Math.min(failures, MOST_DOUBLINGS))
    await sleep(pause, undefined, { signal: stopping, ref: false }).catch(() => {})
  }
}
