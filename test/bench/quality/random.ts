import { numbers } from '../../planner/quantizer/model-builder.ts'

/** Normally distributed numbers (Box–Muller) that are the same in every run. */
export function normalNumbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  const uniform = numbers([2 * count], 0, 1, seed * 7919)
  return Float32Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0] = uniform.subarray(2 * i)
    return Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b)
  })
}
