import type { TensorData } from '../../../../shared/tensors.ts'

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

/** Row-major elements, dimensions reordered so that result dimension i is source dimension order[i]. */
export function transposed<A extends TensorData>(
  source: A,
  shape: readonly number[],
  order: readonly number[],
): A {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const sizes = order.map((axis) => shape[axis] as number)
  const steps = order.map((axis) => strides[axis] as number)
  const result = source.slice() as A
  const index = new Array<number>(sizes.length).fill(0)
  let from = 0
  for (let to = 0; to < source.length; to += 1) {
    result[to] = source[from] as never
    for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
      from += steps[axis] as number
      index[axis] = (index[axis] as number) + 1
      if (index[axis] !== sizes[axis]) break
      from -= (steps[axis] as number) * (sizes[axis] as number)
      index[axis] = 0
    }
  }
  return result
}
