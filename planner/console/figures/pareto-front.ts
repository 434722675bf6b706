/** What a variant costs and gives. Null: not known, and then it is on no front. */
export interface Tradeoff {
  readonly latencyMs: number | null
  readonly bytes: number | null
  /** Higher is better. */
  readonly quality: number | null
}

/** Those that no other beats in one of latency, size and quality without losing in another. */
export function paretoFront<T extends Tradeoff>(all: readonly T[]): readonly T[] {
  const known = all.filter(isKnown)
  return known.filter((one) => !known.some((other) => dominates(other, one)))
}

type Known<T> = T & { readonly latencyMs: number; readonly bytes: number; readonly quality: number }

function isKnown<T extends Tradeoff>(one: T): one is Known<T> {
  return one.latencyMs !== null && one.bytes !== null && one.quality !== null
}

function dominates(a: Known<Tradeoff>, b: Known<Tradeoff>): boolean {
  const isNoWorse = a.latencyMs <= b.latencyMs && a.bytes <= b.bytes && a.quality >= b.quality
  return isNoWorse && (a.latencyMs < b.latencyMs || a.bytes < b.bytes || a.quality > b.quality)
}
