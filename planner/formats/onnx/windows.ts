import type { WindowAxis } from '../../graph/index.ts'
import { intsOf, stringOf } from './attributes.ts'
import type { OnnxNode } from './model.ts'

/** How a Conv's window moves along each spatial dimension; null where a size is not known. */
export function windowOf(
  node: OnnxNode,
  input: readonly number[] | null,
  output: readonly number[] | null,
  weight: readonly number[],
): WindowAxis[] | null {
  const spatial = weight.slice(2)
  const [sizes, results] = [input?.slice(2), output?.slice(2)]
  if (!sizes || !results || sizes.length !== spatial.length) return null
  if ([...sizes, ...results].some((size) => size < 0)) return null
  const pads = intsOf(node, 'pads')
  const autoPad = stringOf(node, 'auto_pad', 'NOTSET')
  return spatial.map((taps, i) => {
    const stride = intsOf(node, 'strides')?.[i] ?? 1
    const dilation = intsOf(node, 'dilations')?.[i] ?? 1
    const [from, to] = [sizes[i] as number, results[i] as number]
    const total = Math.max(0, (to - 1) * stride + (taps - 1) * dilation + 1 - from)
    const same = autoPad === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2)
    const padding = autoPad.startsWith('SAME') ? same : (pads?.[i] ?? 0)
    return { weightAxis: i + 2, input: from, output: to, taps, stride, dilation, padding }
  })
}
