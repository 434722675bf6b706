/**
 * ONNX keeps images, signals and volumes as N,C,spatial…; kernels of TensorFlow Lite want N,spatial…,C. A value of rank 3
 * to 5 may live in either order inside the imported model; all others live as the source has them.
 */
export type Layout = 'source' | 'channels-last'

const RANKS: ReadonlySet<number> = new Set([3, 4, 5])

/** Whether values of this rank have channels that may stand elsewhere. */
export function hasChannels(rank: number): boolean {
  return RANKS.has(rank)
}

/** `perm` of the TRANSPOSE into channels-last: its dimension i is the source's dimension order[i]. */
export function toLast(rank: number): number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]
}

/** And back. */
export function toSource(rank: number): number[] {
  return [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]
}

/** Per-axis values of the source (sizes, pads, repeats) in `layout`'s order. */
export function perAxisIn<T>(layout: Layout, values: readonly T[]): T[] {
  if (layout === 'source') return [...values]
  return toLast(values.length).map((axis) => values[axis] as T)
}

/** Where an axis of the source, counted from either end, stands in `layout`. */
export function axisIn(layout: Layout, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis
  return layout === 'source' ? positive : toLast(rank).indexOf(positive)
}

/** Both orders hold the same bytes where one of channels and pixels is single: a RESHAPE does it. */
export function ordersCoincide(shape: readonly number[]): boolean {
  const [, channels, ...spatial] = shape
  return channels === 1 || spatial.every((size) => size === 1)
}

/** Whether a TRANSPOSE of `shape` by `order` moves no element: dimensions above one keep their order. */
export function keepsOrder(shape: readonly number[], order: readonly number[]): boolean {
  const moved = order.filter((axis) => shape[axis] !== 1)
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))
}
