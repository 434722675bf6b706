/**
 * A copy with the smallest magnitudes set to zero: ⌊share × length⌋ of them, zeros that were there included; of
 * equals the first. (Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015,
 * without the retraining.)
 */
export function prune(values: Float32Array, share: number): Float32Array {
  const count = Math.floor(share * values.length)
  const pruned = Float32Array.from(values)
  if (count === 0) return pruned
  const threshold = values.map(Math.abs).sort()[count - 1] as number
  let below = 0
  for (const value of values) if (Math.abs(value) < threshold) below += 1
  let atThreshold = count - below
  for (let i = 0; i < pruned.length; i += 1) {
    const magnitude = Math.abs(pruned[i] as number)
    if (magnitude > threshold) continue
    if (magnitude === threshold) {
      if (atThreshold === 0) continue
      atThreshold -= 1
    }
    pruned[i] = 0
  }
  return pruned
}
