import type { OnnxNode } from '../../onnx/index.ts'
import { intsOf, stringOf } from '../../onnx/source.ts'
import { need } from './errors.ts'

/** How a window moves along each spatial dimension, with padding as it has effect: what no window reaches is left out. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly begin: readonly number[]
  /** Negative where the last pixels are not reached. */
  readonly end: readonly number[]
  readonly input: readonly number[]
  readonly output: readonly number[]
}

/** Shapes are N,C,spatial…, as ONNX has them. */
export function windowOf(
  node: OnnxNode,
  inputShape: readonly number[],
  kernel: readonly number[],
  outputShape: readonly number[],
): Window {
  const [input, output] = [inputShape.slice(2), outputShape.slice(2)]
  const ones = kernel.map(() => 1)
  const strides = intsOf(node, 'strides') ?? ones
  const dilations = intsOf(node, 'dilations') ?? ones
  const auto = stringOf(node, 'auto_pad', 'NOTSET')
  const pads = intsOf(node, 'pads')
  const reached = kernel.map(
    (taps, i) =>
      ((output[i] as number) - 1) * (strides[i] as number) +
      (taps - 1) * (dilations[i] as number) +
      1,
  )
  const begin = kernel.map((_, i) => {
    if (auto === 'NOTSET' || auto === '') return pads?.[i] ?? 0
    const total = Math.max(0, (reached[i] as number) - (input[i] as number))
    if (auto === 'VALID') return 0
    return auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
  })
  const end = reached.map((size, i) => size - (input[i] as number) - (begin[i] as number))
  return { kernel, strides, dilations, begin, end, input, output }
}

/** The schema's word for the padding, or null where it has none. */
export function paddingOf({ begin, end, input, output, strides }: Window): 'SAME' | 'VALID' | null {
  const nothing = begin.every((before, i) => before === 0 && (end[i] as number) <= 0)
  if (nothing) return 'VALID'
  const same = begin.every((before, i) => {
    const size = Math.ceil((input[i] as number) / (strides[i] as number))
    const total = Math.max(0, before + (end[i] as number))
    return output[i] === size && before === Math.floor(total / 2)
  })
  return same ? 'SAME' : null
}

/** Pixels to put around before a window that takes no padding moves. @throws Refusal */
export function padsOf({ begin, end }: Window): (readonly [number, number])[] {
  return begin.map((before, i) => {
    need(before >= 0, 'its padding is negative')
    return [before, Math.max(0, end[i] as number)]
  })
}
