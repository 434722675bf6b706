import type { WindowAxis } from '../../graph/index.ts'

/** Share of the output positions at which each tap of the window lies on the input, not on the padding. */
export function coverageOf(axis: WindowAxis): Float64Array {
  const coverage = new Float64Array(axis.taps)
  for (let tap = 0; tap < axis.taps; tap += 1) {
    let inside = 0
    for (let position = 0; position < axis.output; position += 1) {
      const at = position * axis.stride + tap * axis.dilation - axis.padding
      if (at >= 0 && at < axis.input) inside += 1
    }
    coverage[tap] = axis.output === 0 ? 1 : inside / axis.output
  }
  return coverage
}
