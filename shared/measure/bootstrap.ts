import { medianOf, sorted } from '../statistics/index.ts'

/** Uniform in [0, 1). */
export type Random = () => number

/** A small generator with a seed, so that equal data give equal intervals. (mulberry32, T. Ettinger.) */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Percentile bootstrap of the median, 95 %. (Efron 1979.) */
export function bootstrapMedianCi95(
  values: readonly number[],
  random: Random,
  rounds = 2000,
): [number, number] {
  const medians = new Float64Array(rounds)
  const drawn = new Float64Array(values.length)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < drawn.length; i++)
      drawn[i] = values[Math.floor(random() * values.length)] ?? 0
    medians[round] = medianOf(sorted(drawn))
  }
  const ordered = medians.sort()
  return [ordered[Math.floor(0.025 * rounds)] ?? 0, ordered[Math.ceil(0.975 * rounds) - 1] ?? 0]
}
