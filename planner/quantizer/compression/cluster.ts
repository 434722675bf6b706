import { magnitudes, type Slices, sliceAt, slicesOf } from '../../graph/index.ts'
import { BINS, binOf, type Counted, kMeans } from './k-means.ts'

/** How clustered weights will be written, for clusters must come out of that as they went in. */
export interface Storage {
  /** Dimension that has a scale for each of its slices; null for one scale, and for floats. */
  readonly axis: number | null
  /** Largest code of the weights; null for floats. */
  readonly codeMax: number | null
}

/** Below this a slice is dead: nothing to cluster. */
const DEAD_MAGNITUDE = 1e-30

/**
 * A copy whose elements have `count` values at most (k-means over the layer, squared error of the weights).
 * With a scale per slice these are values of w / max|w| of the slice: integer codes are what the file holds, and
 * they stay `count`, because ±1 are among the centres (so no slice's scale moves) and centres lie on codes.
 * Zeros stay zeros where `keepZeros`.
 */
export function cluster(
  values: Float32Array,
  shape: readonly number[],
  count: number,
  { axis, codeMax }: Storage,
  keepZeros: boolean,
): Float32Array {
  const slices = slicesOf(shape, axis)
  const largest = magnitudes(values, shape, axis)
  const pinned = keepZeros ? [0] : []
  if (axis !== null) pinned.push(...extremesOf(values, slices, largest))
  const found = kMeans(countIn(values, slices, largest, keepZeros), count, pinned)
  const centres = axis === null || codeMax === null ? found : ontoCodes(found, codeMax)
  const middles = centres.slice(1).map((centre, i) => (centre + (centres[i] as number)) / 2)
  return values.map((value, i) => {
    const magnitude = largest[sliceAt(slices, i)] as number
    if (magnitude < DEAD_MAGNITUDE || (keepZeros && value === 0)) return value
    return (centres[placeOf(value / magnitude, middles)] as number) * magnitude
  })
}

function countIn(
  values: Float32Array,
  slices: Slices,
  largest: Float64Array,
  keepZeros: boolean,
): Counted {
  const mass = new Float64Array(BINS)
  const moment = new Float64Array(BINS)
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    const magnitude = largest[sliceAt(slices, i)] as number
    if (magnitude < DEAD_MAGNITUDE || (keepZeros && value === 0)) continue
    const normal = value / magnitude
    const bin = binOf(normal)
    // An error of a slice counts as large as the slice's numbers are.
    const weight = magnitude * magnitude
    mass[bin] = (mass[bin] as number) + weight
    moment[bin] = (moment[bin] as number) + weight * normal
  }
  return { mass, moment }
}

/** Ends that occur: every slice has one of its own, whose loss would move its scale. */
function extremesOf(values: Float32Array, slices: Slices, largest: Float64Array): number[] {
  const found = new Set<number>()
  for (let i = 0; i < values.length && found.size < 2; i += 1) {
    const value = values[i] as number
    const magnitude = largest[sliceAt(slices, i)] as number
    if (magnitude >= DEAD_MAGNITUDE && Math.abs(value) === magnitude) found.add(Math.sign(value))
  }
  return [...found]
}

function ontoCodes(centres: readonly number[], codeMax: number): number[] {
  return [...new Set(centres.map((centre) => Math.round(centre * codeMax) / codeMax))]
}

/** Number of `middles` at or below `value`, by bisection. */
function placeOf(value: number, middles: readonly number[]): number {
  let low = 0
  let high = middles.length
  while (low < high) {
    const half = (low + high) >> 1
    if ((middles[half] as number) <= value) low = half + 1
    else high = half
  }
  return low
}
