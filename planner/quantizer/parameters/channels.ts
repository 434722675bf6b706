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

/** Largest finite magnitude in each slice. */
export function magnitudes(
  values: Float32Array,
  shape: readonly number[],
  axis: number | null,
): Float64Array {
  const slices = slicesOf(shape, axis)
  const largest = new Float64Array(slices.count)
  for (let i = 0; i < values.length; i += 1) {
    const magnitude = Math.abs(values[i] as number)
    const slice = sliceAt(slices, i)
    if (magnitude > (largest[slice] as number)) largest[slice] = magnitude
  }
  return largest
}
