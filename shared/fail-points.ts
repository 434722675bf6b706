import { UsageError } from './errors.ts'

/**
 * Places where a test may cut the power. Every transition that is written down has three: `<name>.before`
 * it is written, `<name>.torn` with it half written, `<name>.after` it is durable and before it is acted on.
 */
export interface FailPoints {
  /** Returns at once, unless this is the armed place: then the process is gone. */
  reach(name: string): void
  /** True when the next `reach` of this name would not return. */
  isArmed(name: string): boolean
}

export const NO_FAIL_POINTS: FailPoints = { reach: () => {}, isArmed: () => false }

const ARMED = /^([a-z0-9.-]+)(?:#([1-9][0-9]*))?$/

/** The three of each transition. */
export function momentsOf(names: readonly string[]): string[] {
  return names.flatMap((name) => ['before', 'torn', 'after'].map((moment) => `${name}.${moment}`))
}

/**
 * @param text `FITMENT_FAIL_POINT`: a name, or `name#3` for the third time it is passed
 * @param known the names there are
 * @param list the source file that has them all
 * @throws UsageError
 */
export function failPointsFrom(
  text: string | undefined,
  known: readonly string[],
  list: string,
): FailPoints {
  if (text === undefined || text === '') return NO_FAIL_POINTS
  const [, armed, count] = ARMED.exec(text) ?? []
  if (armed === undefined || !known.includes(armed)) {
    const some = likeliest(text, known).join(', ')
    throw new UsageError(
      `FITMENT_FAIL_POINT="${text.slice(0, 80)}" is no fail point: there are ${known.length}, such as ${some}; ${list} names the writes`,
    )
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

/** Those of the same beginning; any where nothing begins so. */
function likeliest(text: string, known: readonly string[]): readonly string[] {
  const alike = known.filter((name) => name.split('.')[0] === text.split('.')[0])
  return (alike.length > 0 ? alike : known).slice(0, 3)
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is under way; nothing may happen until it lands.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('killed')
}
