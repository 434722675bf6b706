/**
 * TensorFlow Lite keeps images as N,H,W,C; ONNX kernels want N,C,H,W. A tensor of rank 4 may live in
 * either order inside the imported model; all others live as they are.
 */
export type Layout = 'native' | 'channels-first'

/** channels-first dimension i holds native dimension TO_FIRST[i]. */
export const TO_FIRST = [0, 2, 3, 1] as const
/** And back. */
const TO_FIRST_ORDER = [0, 3, 1, 2]
const TO_NATIVE_ORDER = [0, 2, 3, 1]

/** `perm` attribute of the Transpose that turns one layout into the other. */
export function permutation(to: Layout): readonly number[] {
  return to === 'channels-first' ? TO_FIRST_ORDER : TO_NATIVE_ORDER
}

export function shapeIn(layout: Layout, shape: readonly number[]): number[] {
  return layout === 'native' ? [...shape] : TO_FIRST_ORDER.map((axis) => shape[axis] as number)
}

/** Where a native axis of a rank-4 tensor stands in `layout`. */
export function axisIn(layout: Layout, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis
  return layout === 'native' ? positive : TO_FIRST_ORDER.indexOf(positive)
}

/** Per-axis values (pads, repeats, begins) of a rank-4 tensor in `layout`'s order. */
export function perAxisIn<T>(layout: Layout, values: readonly T[]): T[] {
  return layout === 'native' ? [...values] : TO_FIRST_ORDER.map((axis) => values[axis] as T)
}

/** Both orders hold the same bytes when channels or pixels are one: a Reshape does it. */
export function ordersCoincide(shape: readonly number[]): boolean {
  const [, height, width, channels] = shape
  return channels === 1 || (height === 1 && width === 1)
}
