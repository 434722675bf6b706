/** How the elements of a row-major tensor fall into the slices of one axis. */
export interface Slices {
  readonly count: number
  /** Elements between neighbours along the axis. */
  readonly stride: number
}

/** `axis` null: the whole tensor is one slice. */
export function slicesOf(shape: readonly number[], axis: number | null): Slices {
  if (axis === null) return { count: 1, stride: 1 }
  const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  return { count: shape[axis] ?? 1, stride }
}

/** Slice that element `index` belongs to. */
export function sliceAt(slices: Slices, index: number): number {
  return Math.floor(index / slices.stride) % slices.count
}

/** Visits `length` elements as stretches that lie in one slice each: weights are large, and divisions slow. */
export function eachRun(
  length: number,
  { count, stride }: Slices,
  visit: (slice: number, from: number, to: number) => void,
): void {
  const run = count === 1 ? length : stride
  for (let from = 0, slice = 0; from < length; from += run) {
    visit(slice, from, from + run)
    slice = slice + 1 === count ? 0 : slice + 1
  }
}

/** Largest finite magnitude in each slice. */
export function magnitudes(
  values: Float32Array,
  shape: readonly number[],
  axis: number | null,
): Float64Array {
  const slices = slicesOf(shape, axis)
  const largest = new Float64Array(slices.count)
  eachRun(values.length, slices, (slice, from, to) => {
    let most = largest[slice] as number
    for (let i = from; i < to; i += 1) {
      const magnitude = Math.abs(values[i] as number)
      if (magnitude > most) most = magnitude
    }
    largest[slice] = most
  })
  return largest
}
