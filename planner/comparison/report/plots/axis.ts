/** Where numbers lie on a plot. */
export interface Axis {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  /** Pixel of a number; beyond the ends it stays at the end. */
  at(value: number): number
}

/** Steps that readers count in. */
const STEPS = [1, 2, 2.5, 5, 10]

/** An axis over `low` … `high`, widened to ticks that are round in `unit`. */
export function axisOver(
  low: number,
  high: number,
  pixels: readonly [number, number],
  wanted = 5,
  unit = 1,
): Axis {
  const span = (high - low || Math.abs(high) || 1) / unit
  const magnitude = 10 ** Math.floor(Math.log10(span / wanted))
  const step = unit * magnitude * (STEPS.find((size) => span / (size * magnitude) <= wanted) ?? 10)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step))
  const [start, end] = [ticks[0] as number, ticks.at(-1) as number]
  return {
    low: start,
    high: end,
    ticks,
    at: (value) => {
      const share = Math.min(1, Math.max(0, (value - start) / (end - start)))
      return pixels[0] + share * (pixels[1] - pixels[0])
    },
  }
}

/** The unit in which `formatBytes` prints a number like this. */
export function byteUnit(bytes: number): number {
  return 1024 ** Math.max(0, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1024)))
}

/** 0.30000000000000004 → 0.3 */
function rounded(value: number): number {
  return Number(value.toPrecision(12))
}
