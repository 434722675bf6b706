/** Of enough samples every 4th is held out of what recovery learns from, so that its gain can be measured on it. */
export const HELD_OUT_STEP = 4
const ENOUGH_SAMPLES = 64

export function holdsOut(samples: number): boolean {
  return samples >= ENOUGH_SAMPLES
}
