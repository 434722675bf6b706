import { invariant } from '../errors.ts'
import { hodgesLehmann, meanOf, studentT95 } from '../statistics/index.ts'

/** One pair says nothing of its own error: a decade each way decides nothing. */
const UNKNOWN = Math.log(10)

/**
 * The ratio of two things measured in turns, from the ratios of neighbouring pairs, with its 95 % interval. Taken on
 * logarithms, so that twice and half are alike. Six pairs and more: Hodges–Lehmann; fewer: Student's t (Biometrika 1908, 6:1).
 */
export function pairedRatio(ratios: readonly number[]): { p50: number; ci95: [number, number] } {
  invariant(ratios.length > 0, 'a ratio needs a pair')
  const logs = ratios.map(Math.log)
  const { centre, ci95 } = hodgesLehmann(logs) ?? studentT(logs)
  return { p50: Math.exp(centre), ci95: [Math.exp(ci95[0]), Math.exp(ci95[1])] }
}

/** An interval is looked at after every pair: it must leave a bound by so many half-widths not to be left by chance. */
const CERTAIN = 2

/** Whether the interval of a ratio, made wider for every look at it, holds none of what a decision hangs on. */
export function leavesAll(ratio: Paired, decides: readonly number[]): boolean {
  const [low, high] = widened(ratio)
  return decides.every((bound) => bound < low || bound > high)
}

/** Whether all of that interval is above a bound. */
export function isAbove(ratio: Paired, bound: number): boolean {
  return widened(ratio)[0] > bound
}

type Paired = ReturnType<typeof pairedRatio>

function widened({ p50, ci95: [low, high] }: Paired): readonly [number, number] {
  return [p50 * (low / p50) ** CERTAIN, p50 * (high / p50) ** CERTAIN]
}

function studentT(values: readonly number[]): { centre: number; ci95: [number, number] } {
  const n = values.length
  const centre = meanOf(values)
  if (n === 1) return { centre, ci95: [centre - UNKNOWN, centre + UNKNOWN] }
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  const half = studentT95(n - 1) * Math.sqrt(squares / (n - 1) / n)
  return { centre, ci95: [centre - half, centre + half] }
}
