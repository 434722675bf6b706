/** No NaN and no infinity: number minus itself is 0 for all others, and NaN stays NaN. */
export function allFinite(values: Float32Array): boolean {
  let poison = 0
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    poison += value - value
  }
  return poison === 0
}
