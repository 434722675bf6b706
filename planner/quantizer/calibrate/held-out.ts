/** Of enough samples every 4th is held out of what recovery learns from, so that its gain can be measured on it. */
export const HELD_OUT_STEP = 4
const ENOUGH_SAMPLES = 64

export function holdsOut(samples: number): boolean {
  return samples >= ENOUGH_SAMPLES
}

/** At most so many of the samples that are not held out, from all over the set. */
export function learntFrom(samples: number, most: number): number[] {
  const eligible = Array.from({ length: samples }, (_, i) => i).filter(
    (sample) => !holdsOut(samples) || sample % HELD_OUT_STEP !== 0,
  )
  const taken = Math.min(most, eligible.length)
  return Array.from(
    { length: taken },
    (_, i) => eligible[Math.floor((i * eligible.length) / taken)] as number,
  )
}
