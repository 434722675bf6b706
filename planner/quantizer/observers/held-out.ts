/** Of enough samples every 4th is held out of what recovery learns from, so that its gain can be measured on it. */
const HELD_OUT_STEP = 4
const ENOUGH_SAMPLES = 64

/** Whether there are enough samples to hold some out. */
export function holdsOut(samples: number): boolean {
  return samples >= ENOUGH_SAMPLES
}

/** At most so many samples that nothing was learnt from, where there are enough; else of all. */
export function heldOut(samples: number, most: number): number[] {
  return spread(samples, most, (sample) => !holdsOut(samples) || isHeldOut(sample, samples))
}

/** At most so many of the samples that are not held out. */
export function learntFrom(samples: number, most: number): number[] {
  return spread(samples, most, (sample) => !isHeldOut(sample, samples))
}

export function isHeldOut(sample: number, samples: number): boolean {
  return holdsOut(samples) && sample % HELD_OUT_STEP === 0
}

/** From all over the set. */
function spread(samples: number, most: number, fits: (sample: number) => boolean): number[] {
  const eligible = Array.from({ length: samples }, (_, i) => i).filter(fits)
  const taken = Math.min(most, eligible.length)
  return Array.from(
    { length: taken },
    (_, i) => eligible[Math.floor((i * eligible.length) / taken)] as number,
  )
}
