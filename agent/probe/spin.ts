/** About 5 ms of integer and floating-point work on a 3 GHz core. */
const ROUNDS = 400_000

/**
 * Does a fixed amount of work and says how long it took, ms: when that changes, the clock frequency or the
 * neighbours changed, also where /sys tells nothing.
 */
export function spin(): number {
  const start = process.hrtime.bigint()
  let hash = 2166136261
  let value = 1.0001
  for (let i = 0; i < ROUNDS; i++) {
    hash = Math.imul(hash ^ (i & 0xff), 16777619)
    value = value * 1.0000001 + (hash & 1) * 1e-9
  }
  const ms = Number(process.hrtime.bigint() - start) / 1e6
  // Both results are used, so that neither loop is optimised away.
  return value + hash === 0 ? 0 : ms
}

/** Until the compiler has done its work on it. */
export function warmSpin(): void {
  for (let i = 0; i < 5; i++) spin()
}
