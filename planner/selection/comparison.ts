import { pooledRatio, type RatioEstimate, repeatedRatio } from '../../shared/statistics/index.ts'
import type { Duel, Measured } from './measured.ts'

/**
 * How two candidates came to be compared, the surest first. Only candidates that were measured in turns met the same clock
 * frequency and the same neighbours; `through-third`: both did so with one other. The rest tells who need not be measured
 * in turns at all.
 */
export const BASES = ['in-turns', 'through-third', 'same-device', 'apart'] as const
export type Basis = (typeof BASES)[number]

/**
 * Standard error, as a share, that a basis adds to what the intervals say: two measurements minutes apart differ by more
 * than either admits. (Checked by `npm run bench:selection`, which plants such drift.)
 */
const ADDED_ERROR: Readonly<Record<Basis, number>> = {
  'in-turns': 0,
  'through-third': 0.02,
  'same-device': 0.05,
  apart: 0.15,
}

/** Devices of one class differ in such a ratio by about this share: what fewer devices say is that much less sure. */
const DEVICES_DIFFER = 0.015

/** The latency of one candidate over that of another. */
export interface Comparison extends RatioEstimate {
  readonly basis: Basis
  /** That had a part in it. */
  readonly devices: number
  /** Measured in turns while something else was at work: that no difference shows is then no sign that there is none. */
  readonly disturbed: boolean
}

export type Compare = (a: Measured, b: Measured) => Comparison

/** @param probers devices that the class has to measure on: fewer than all leave some doubt */
export function comparisons(duels: readonly Duel[], probers = 1): Compare {
  return (a, b) => {
    if (a.key === b.key)
      return { p50: 1, ci95: [1, 1], basis: 'in-turns', devices: probers, disturbed: false }
    const { basis, found } = surest(a, b, duels)
    const devices = new Set(found.map(({ device }) => device)).size
    const unasked = devices < probers ? DEVICES_DIFFER / Math.sqrt(devices) : 0
    const added = Math.hypot(ADDED_ERROR[basis], unasked)
    const { p50, ci95 } = classRatio(found, added)
    return { p50, ci95, basis, devices, disturbed: found.some((one) => one.disturbed) }
  }
}

interface Found {
  readonly device: string
  readonly ratio: RatioEstimate
  readonly disturbed?: boolean
}

/**
 * Of a class, from what its devices say: one that was asked again is sure of itself first.
 * @param addedError of devices that were not asked, as a share
 */
export function classRatio(
  found: readonly Pick<Found, 'device' | 'ratio'>[],
  addedError: number,
): RatioEstimate {
  const devices = new Map<string, RatioEstimate[]>()
  for (const { device, ratio } of found)
    devices.set(device, [...(devices.get(device) ?? []), ratio])
  return pooledRatio([...devices.values()].map(repeatedRatio), addedError)
}

function surest(
  a: Measured,
  b: Measured,
  duels: readonly Duel[],
): { readonly basis: Basis; readonly found: readonly Found[] } {
  const met = metIn(duels, a, b)
  const inTurns = met.length > 0 ? met : besideYardstick(a, b)
  if (inTurns.length > 0) return { basis: 'in-turns', found: inTurns }
  const third = throughThird(duels, a, b)
  const through =
    third.length > 0
      ? third
      : onCommonDevices(a, b, (one) => (sameYardstick(a, b) ? one.ratio : null))
  if (through.length > 0) return { basis: 'through-third', found: through }
  const timed = onCommonDevices(a, b, inMs, speedChanged)
  if (timed.length > 0) return { basis: 'same-device', found: timed }
  const apart = { device: '', ratio: quotient(inMs(a.latency), inMs(b.latency)) }
  return { basis: 'apart', found: [apart] }
}

function metIn(duels: readonly Duel[], a: Measured, b: Measured): Found[] {
  return duels.flatMap(({ key, rival, device, ratio, disturbed = false }) => {
    if (key === a.key && rival === b.key) return [{ device, ratio, disturbed }]
    if (key === b.key && rival === a.key) return [{ device, ratio: inverse(ratio), disturbed }]
    return []
  })
}

/** Both met another in turns on one device, if not at one time: of such others the one that tells most there. */
function throughThird(duels: readonly Duel[], a: Measured, b: Measured): Found[] {
  const [ours, theirs] = [metBy(duels, a.key), metBy(duels, b.key)]
  const found = new Map<string, Found>()
  for (const [place, above] of ours) {
    const below = theirs.get(place)
    if (!below) continue
    const ratio = quotient(repeatedRatio(above.ratios), repeatedRatio(below.ratios))
    const { device } = above
    const known = found.get(device)
    if (known && halfWidth(known.ratio) <= halfWidth(ratio)) continue
    found.set(device, { device, ratio, disturbed: above.disturbed || below.disturbed })
  }
  return [...found.values()]
}

interface Met {
  readonly device: string
  readonly ratios: RatioEstimate[]
  disturbed: boolean
}

/** What one was measured in turns with, on each device: its latency over theirs. */
function metBy(duels: readonly Duel[], own: string): ReadonlyMap<string, Met> {
  const met = new Map<string, Met>()
  for (const { key, rival, device, ratio, disturbed = false } of duels) {
    if (key !== own && rival !== own) continue
    const place = JSON.stringify([device, key === own ? rival : key])
    const one = met.get(place) ?? { device, ratios: [], disturbed: false }
    one.ratios.push(key === own ? ratio : inverse(ratio))
    one.disturbed ||= disturbed
    met.set(place, one)
  }
  return met
}

/** Every candidate was measured in turns with its yardstick: its row says so even where the records are not at hand. */
function besideYardstick(a: Measured, b: Measured): Found[] {
  const ratios = (one: Measured) =>
    devicesOf(one).flatMap(({ device, ratio }) => (ratio ? [{ device, ratio }] : []))
  if (a.yardstick === b.key) return ratios(a)
  if (b.yardstick !== a.key) return []
  return ratios(b).map(({ device, ratio }) => ({ device, ratio: inverse(ratio) }))
}

function onCommonDevices(
  a: Measured,
  b: Measured,
  read: (one: OnDevice) => RatioEstimate | null,
  adjust: (ratio: RatioEstimate, above: OnDevice, below: OnDevice) => RatioEstimate = (ratio) =>
    ratio,
): Found[] {
  const theirs = new Map(devicesOf(b).map((one) => [one.device, one]))
  return devicesOf(a).flatMap((ours) => {
    const other = theirs.get(ours.device)
    const [above, below] = [read(ours), other ? read(other) : null]
    if (!other || !above || !below) return []
    return [{ device: ours.device, ratio: adjust(quotient(above, below), ours, other) }]
  })
}

/**
 * A fixed piece of work took longer during one of the two measurements: the device was slower then, by heat, frequency or
 * neighbours, and that model with it; how much of it each model felt nobody knows. The truth lies between the times as
 * they are and the times in units of that work.
 */
function speedChanged(ratio: RatioEstimate, above: OnDevice, below: OnDevice): RatioEstimate {
  if (!above.spinMs || !below.spinMs) return ratio
  const change = Math.log(above.spinMs / below.spinMs)
  const half = Math.hypot(halfWidth(ratio), change / 2)
  const p50 = ratio.p50 * Math.exp(-change / 2)
  return { p50, ci95: [p50 * Math.exp(-half), p50 * Math.exp(half)] }
}

function sameYardstick(a: Measured, b: Measured): boolean {
  return a.yardstick != null && a.yardstick === b.yardstick
}

type OnDevice = NonNullable<Measured['latency']['on']>[number]

/** Rows of old say only what the class made of it. */
function devicesOf({ latency }: Measured): readonly OnDevice[] {
  return latency.on ?? [{ device: '', ...latency }]
}

function inMs({ p50Ms, ci95 }: Pick<OnDevice, 'p50Ms' | 'ci95'>): RatioEstimate {
  return { p50: p50Ms, ci95 }
}

function inverse({ p50, ci95: [low, high] }: RatioEstimate): RatioEstimate {
  return { p50: 1 / p50, ci95: [1 / high, 1 / low] }
}

/** Of independent estimates: their relative errors add as squares. */
function quotient(a: RatioEstimate, b: RatioEstimate): RatioEstimate {
  const p50 = a.p50 / b.p50
  const half = Math.hypot(halfWidth(a), halfWidth(b))
  return { p50, ci95: [p50 * Math.exp(-half), p50 * Math.exp(half)] }
}

function halfWidth({ ci95: [low, high] }: RatioEstimate): number {
  return Math.log(high / low) / 2
}
