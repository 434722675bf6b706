/** Round numbers that span both ends: what an axis is labelled with. */
export function ticks(low: number, high: number, wanted = 5): readonly number[] {
  if (!(Number.isFinite(low) && Number.isFinite(high))) return []
  const span = high - low || Math.abs(high) || 1
  const step = roundStep(span / Math.max(1, wanted - 1))
  const from = Math.floor(low / step)
  const to = Math.max(Math.ceil(high / step), from + 1)
  return Array.from({ length: to - from + 1 }, (_, at) => tidy((from + at) * step))
}

/** 1, 2 or 5 times a power of ten, not below. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) ?? 10
  return factor * power
}

/** Sums of binary fractions: 0.30000000000000004 is 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

/** Linear map of a domain onto a range; a domain without length onto the middle. */
export function scale(
  [low, high]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  const length = high - low
  if (length === 0) return () => (start + end) / 2
  return (value) => start + ((value - low) / length) * (end - start)
}
