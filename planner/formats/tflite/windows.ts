import type { WindowAxis } from '../../graph/index.ts'
import type { TflSubgraph, TflUnion } from './model.ts'

/** The window of a convolution: dimensions 1 and 2 of both activations (NHWC) and filters. Null where sizes are open. */
export function convolutionWindow(
  subgraph: TflSubgraph,
  input: number | undefined,
  filter: number | undefined,
  output: number | undefined,
  options: TflUnion | null,
): WindowAxis[] | null {
  const shapeOf = (index: number | undefined) => subgraph.tensors[index ?? -1]?.shape ?? []
  const [from, kernel, to] = [shapeOf(input), shapeOf(filter), shapeOf(output)]
  if (options === null || from.length !== 4 || kernel.length !== 4 || to.length !== 4) return null
  const axis = (at: 1 | 2, stride: unknown, dilation: unknown): WindowAxis => {
    const sizes = {
      input: from[at] as number,
      output: to[at] as number,
      taps: kernel[at] as number,
    }
    const steps = { stride: Number(stride) || 1, dilation: Number(dilation) || 1 }
    const padding = options.padding === 'SAME' ? samePadding({ ...sizes, ...steps }) : 0
    return { weightAxis: at, ...sizes, ...steps, padding }
  }
  return [
    axis(1, options.strideH, options.dilationHFactor),
    axis(2, options.strideW, options.dilationWFactor),
  ]
}

/** Half of what the window lacks; an odd rest goes behind (TensorFlow's SAME). */
function samePadding(of: Omit<WindowAxis, 'padding' | 'weightAxis'>): number {
  const reach = (of.output - 1) * of.stride + (of.taps - 1) * of.dilation + 1
  return Math.floor(Math.max(0, reach - of.input) / 2)
}
