import type { TensorData } from '../../../shared/tensors.ts'

/** Row-major elements, dimensions reordered so that result dimension i is source dimension order[i]. */
export function permuted<A extends TensorData>(
  source: A,
  shape: readonly number[],
  order: readonly number[],
): A {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const sizes = order.map((axis) => shape[axis] as number)
  const steps = order.map((axis) => strides[axis] as number)
  // Arrays of millions: the innermost axis runs without a look at the others.
  const [run, step] = [sizes.at(-1) ?? 1, steps.at(-1) ?? 1]
  const outer = sizes.length - 1
  const result = new (source.constructor as new (length: number) => A)(source.length)
  const index = new Array<number>(Math.max(0, outer)).fill(0)
  let from = 0
  for (let to = 0; to < source.length; ) {
    for (let i = 0, at = from; i < run; i += 1, at += step, to += 1)
      result[to] = source[at] as never
    for (let axis = outer - 1; axis >= 0; axis -= 1) {
      from += steps[axis] as number
      index[axis] = (index[axis] as number) + 1
      if (index[axis] !== sizes[axis]) break
      from -= (steps[axis] as number) * (sizes[axis] as number)
      index[axis] = 0
    }
  }
  return result
}
