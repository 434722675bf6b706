import type { GraphConstant } from '../graph.ts'

/** No NaN and no infinity: number minus itself is 0 for all others, and NaN stays NaN. */
function allFinite(values: Float32Array): boolean {
  let poison = 0
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    poison += value - value
  }
  return poison === 0
}

const KNOWN = new WeakMap<GraphConstant, boolean>()

/** Of what a constant holds, which never changes: plans are made again and again. */
export function holdsFinite(constant: GraphConstant, values: Float32Array): boolean {
  const finite = KNOWN.get(constant) ?? allFinite(values)
  KNOWN.set(constant, finite)
  return finite
}
