import { UsageError } from '../../shared/errors.ts'
import { failPointNames } from './commit-names.ts'

/**
 * Places where a test may cut the power. Every journaled transition has three: `<name>.before` it is
 * written, `<name>.torn` with half of it on disk, `<name>.after` it is durable and before it is acted on.
 */
export interface FailPoints {
  /** Returns at once, unless this is the armed place: then the process is gone. */
  reach(name: string): void
  /** True when the next `reach` of this name would not return. */
  isArmed(name: string): boolean
}

export const NO_FAIL_POINTS: FailPoints = { reach: () => {}, isArmed: () => false }

const ARMED = /^([a-z0-9.-]+)(?:#([1-9][0-9]*))?$/

/** @param text `FITMENT_FAIL_POINT`: a name, or `name#3` for the third time it is passed @throws UsageError */
export function failPointsFrom(text: string | undefined): FailPoints {
  if (text === undefined || text === '') return NO_FAIL_POINTS
  const [, armed, count] = ARMED.exec(text) ?? []
  if (armed === undefined || !failPointNames().includes(armed)) {
    throw new UsageError(`FITMENT_FAIL_POINT="${text}" is none of ${failPointNames().join(', ')}`)
  }
  let passes = Number(count ?? 1)
  return {
    isArmed: (name) => name === armed && passes === 1,
    reach(name) {
      if (name !== armed) return
      passes -= 1
      if (passes === 0) die()
    },
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is under way; nothing may happen until it lands.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('killed')
}
