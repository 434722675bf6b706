import { choose, openQuestions, type SelectionInput } from '../selection/index.ts'
import { type Attempt, isUsable, type Progress, progressOf } from './attempts.ts'
import { beatenYardsticks } from './beaten.ts'
import { chooseProbers, fits, type Prober } from './choose-probers.ts'
import { type Entrant, type Evidence, evidenceOf } from './evidence.ts'
import { disturbance, type NextTry, nextTry, patienceAfter } from './quiet-time.ts'

/** What the tournament is played by. */
export interface TournamentView {
  readonly entrants: readonly Entrant[]
  /** Of this round, oldest first. */
  readonly attempts: readonly Attempt[]
  /** Of the class. */
  readonly devices: readonly Prober[]
  /** Devices that measure something just now, for this or another model. */
  readonly measuring: ReadonlySet<string>
  /** Of the test data that a probe needs beside the files. */
  readonly dataBytes: number
  readonly rules: Pick<SelectionInput, 'constraints' | 'objective' | 'room' | 'incumbent'>
  /** The operator ships on records that were disturbed. */
  readonly acceptNoise: boolean
  /**
   * Other candidates are still being built, on a machine that devices may share: only heats begin, and each waits the
   * longer for a quiet moment.
   */
  readonly building?: boolean
  /** The planner just started: devices that seem offline may be about to say birth. */
  readonly settlingIn: boolean
  readonly now: Date
}

/**
 * `heat`: a candidate beside float32 on its own runtime, shortly: what it answers, what it needs, and about how fast it
 * is. `duel`: two that may win, in turns with each other.
 */
export type Match = 'heat' | 'duel'

export interface MatchOrder {
  readonly match: Match
  readonly variant: string
  readonly rival: string | null
  readonly device: string
  /** Longest to wait there for a quiet moment, ms. */
  readonly quietMs: number
}

export type TournamentStep =
  | { readonly kind: 'measure'; readonly orders: readonly MatchOrder[]; readonly waiting: string }
  /** `stuck`: nothing goes on until something outside changes. */
  | { readonly kind: 'wait'; readonly waiting: string; readonly stuck: boolean }
  /** The choice would not change by measuring more, or nothing more can be measured. */
  | { readonly kind: 'over' }

/** Clean duels of one pair, spread over as many devices: what these do not show is no difference worth more of them. */
const MOST_DUELS = 6
const DUELS_PER_DEVICE = 2

/** A device that was disturbed so often, and nothing else, leaves its place to another… */
const RESTLESS_AFTER = 2
/** …until so many were tried: where all are busy, more of them are busy too. */
const MOST_DEVICES = 9

/**
 * Who measures what next. Every candidate has a heat, all on one device, so that they can be told apart at all. Those that
 * may still win then meet the leader in turns, on up to three devices, until the choice is certain: successive halving,
 * with the field cut by what cannot win any more instead of by half. What wins is measured on every one of these devices.
 * (Jamieson & Talwalkar 2016, Non-stochastic Best Arm Identification; arXiv 1502.07943.)
 * Pure, and nothing is remembered: the same attempts give the same next step.
 */
export function planTournament(all: TournamentView): TournamentStep {
  const { entrants, acceptNoise } = all
  if (entrants.length === 0) return { kind: 'over' }
  const evidence = evidenceOf(entrants, all.attempts, acceptNoise)
  const isBelieved = ({ device }: { readonly device: string }) => !evidence.notBelieved.has(device)
  const attempts = all.attempts.filter(isBelieved)
  const view = { ...all, attempts, devices: all.devices.filter(isBelieved) }
  const able = view.devices.filter((device) => !isSpent(device, view))
  const rested = able.filter((device) => !isRestless(device, view))
  const pool = rested.length > 0 && triedDevices(attempts) < MOST_DEVICES ? rested : able
  const sticky = measuredOn(attempts, acceptNoise)
  const { devices: chosen, why } = chooseProbers(pool, sticky)
  if (chosen.length === 0) {
    if (able.length === 0 && view.devices.length > 0) return { kind: 'over' }
    const [liar] = evidence.notBelieved
    if (liar && able.length === 0) {
      const waiting = `waits for a device that can be believed: ${liar[0]} is left out: ${liar[1]}`
      return { kind: 'wait', waiting, stuck: true }
    }
    const waiting = `waits for a device to measure on: ${why}`
    return { kind: 'wait', waiting, stuck: !view.settlingIn }
  }
  const probers = byRecords(able, chosen, attempts)
  const beaten = beatenYardsticks(entrants, evidence, view.rules)
  const openHeats = yardsticksLast(entrants)
    .filter(({ key, yardstick }) => !beaten.has(key) && !(view.building && key === yardstick))
    .map((entrant) => heatOf(entrant, probers, view))
    .filter(isUnsettled)
  if (openHeats.length === 0 && view.building) return { kind: 'over' }
  const duellists = byRecords(able, chooseProbers(pool, sticky, MOST_DUELS).devices, attempts)
  const needs =
    openHeats.length > 0
      ? openHeats
      : finals(view, evidence, { probers, duellists }).filter(isUnsettled)
  return stepFor(needs, view)
}

/** What is measured beside them may make a heat of their own needless. */
function yardsticksLast(entrants: readonly Entrant[]): readonly Entrant[] {
  const isYardstick = ({ key, yardstick }: Entrant) => Number(key === yardstick)
  return [...entrants].sort((a, b) => isYardstick(a) - isYardstick(b))
}

/** Something to be measured: the first device that can do it does. */
interface Need {
  readonly match: Match
  readonly entrant: Entrant
  readonly rival: Entrant | null
  /** In the order in which they are asked. */
  readonly places: readonly Place[]
}

interface Place {
  readonly device: string
  readonly progress: Progress
}

function heatOf(entrant: Entrant, probers: readonly Prober[], view: TournamentView): Need {
  const own = view.attempts.filter(({ variant }) => variant === entrant.key)
  const answered = own.some((one) => progressOf([one], view.acceptNoise).kind === 'answered')
  const able = probers.filter((device) => fits(device, entrant.bytes, view.dataBytes))
  const places = answered ? [] : placesFor(own, able, view.acceptNoise)
  return { match: 'heat', entrant, rival: yardstickOf(entrant, view), places }
}

function yardstickOf({ key, yardstick }: Entrant, { entrants }: TournamentView): Entrant | null {
  return entrants.find((one) => one.key === yardstick && one.key !== key) ?? null
}

/** Devices that may be asked; whoever is at it already may have gone offline, and is waited for all the same. */
function placesFor(
  attempts: readonly Attempt[],
  able: readonly Prober[],
  acceptNoise: boolean,
): readonly Place[] {
  const running = attempts.find(({ state }) => state === 'ordered')
  if (running) return [{ device: running.device, progress: { kind: 'running' } }]
  return able.map(({ device }) => ({
    device,
    progress: progressOf(
      attempts.filter((one) => one.device === device),
      acceptNoise,
    ),
  }))
}

/** What is left once every candidate had its heat. */
function finals(
  view: TournamentView,
  evidence: Evidence,
  { probers, duellists }: Record<'probers' | 'duellists', readonly Prober[]>,
): Need[] {
  const input = {
    ...view.rules,
    candidates: evidence.measured,
    duels: evidence.duels,
    probers: probers.length,
  }
  const entrantOf = (key: string) => view.entrants.find((one) => one.key === key)
  const duels = openQuestions(input).flatMap(({ key, rival }) => {
    const [one, other] = [entrantOf(key), entrantOf(rival)]
    return one && other ? [duelOf(one, other, duellists, view)] : []
  })
  if (duels.some(isUnsettled)) return duels
  const winner = entrantOf(choose(input).winner ?? '')
  return winner ? witnesses(winner, probers, view) : []
}

/** The devices with the fewest duels of this pair come first. */
function duelOf(
  one: Entrant,
  other: Entrant,
  probers: readonly Prober[],
  { attempts, acceptNoise, dataBytes }: TournamentView,
): Need {
  const own = attempts.filter(
    ({ variant, rival }) =>
      (variant === one.key && rival === other.key) || (variant === other.key && rival === one.key),
  )
  const able = probers.filter((device) => fits(device, one.bytes, other.bytes + dataBytes))
  const all = placesFor(own, able, acceptNoise)
  const isEnough = all.reduce((sum, place) => sum + played(place), 0) >= MOST_DUELS
  const places = (isEnough ? [] : all)
    .filter((place) => played(place) < DUELS_PER_DEVICE)
    .sort((a, b) => played(a) - played(b))
    .map((place) => ({ ...place, progress: askedAgain(place.progress) }))
  return { match: 'duel', entrant: one, rival: other, places }
}

function played({ progress }: Place): number {
  return progress.kind === 'answered' ? progress.times : 0
}

function askedAgain(progress: Progress): Progress {
  return progress.kind === 'answered' ? { kind: 'open' } : progress
}

/** One device is no class: what wins is seen on all that measure. */
function witnesses(winner: Entrant, probers: readonly Prober[], view: TournamentView): Need[] {
  const rival = yardstickOf(winner, view)
  return probers
    .filter((device) => fits(device, winner.bytes, view.dataBytes))
    .map((device) => {
      const own = view.attempts.filter(
        (one) => one.device === device.device && one.variant === winner.key,
      )
      const places = placesFor(own, [device], view.acceptNoise)
      return { match: 'heat' as const, entrant: winner, rival, places }
    })
}

function isUnsettled({ places }: Need): boolean {
  return places.some(({ progress }) => progress.kind !== 'failed' && progress.kind !== 'answered')
}

/** What one need comes to now: an order, or something to wait for. */
type Outlook =
  | { readonly kind: 'order'; readonly order: MatchOrder }
  | { readonly kind: 'under-way'; readonly device: string }
  | {
      readonly kind: 'pause'
      readonly device: string
      readonly next: NextTry
      readonly why: string
    }

function stepFor(needs: readonly Need[], view: TournamentView): TournamentStep {
  if (needs.length === 0) return { kind: 'over' }
  const taken = new Set(view.measuring)
  const outlooks = needs.flatMap((need) => {
    const outlook = outlookOf(need, taken, view)
    if (outlook?.kind === 'order') taken.add(outlook.order.device)
    return outlook ? [{ need, outlook }] : []
  })
  if (outlooks.length === 0) return { kind: 'over' }
  const orders = outlooks.flatMap(({ outlook }) => (outlook.kind === 'order' ? outlook.order : []))
  const moving = outlooks.find(({ outlook }) => outlook.kind !== 'pause')
  if (moving) {
    const left = `${needs.length} of ${view.entrants.length}`
    return { kind: 'measure', orders, waiting: describe(moving.need, moving.outlook, left) }
  }
  const pauses = outlooks.flatMap(({ need, outlook }) =>
    outlook.kind === 'pause' ? [{ need, ...outlook }] : [],
  )
  const [first] = [...pauses].sort((a, b) => a.next.at.getTime() - b.next.at.getTime())
  if (!first) return { kind: 'over' }
  return {
    kind: 'wait',
    waiting: waitsForQuiet(first.need, first),
    stuck: pauses.every(({ next }) => next.undecided),
  }
}

/** Another device of the class first, then the same in a quieter moment. */
function outlookOf(
  need: Need,
  taken: ReadonlySet<string>,
  { now, acceptNoise, building = false }: TournamentView,
): Outlook | undefined {
  const patience = (tries: number) => (acceptNoise ? 0 : patienceAfter(tries, building))
  const running = need.places.find(({ progress }) => progress.kind === 'running')
  if (running) return { kind: 'under-way', device: running.device }
  const fresh = need.places.filter(({ progress }) => progress.kind === 'open')
  // Heats are compared with each other: they stay on one device. Who meets in turns may meet anywhere.
  const idle = need.match === 'duel' ? fresh.find(({ device }) => !taken.has(device)) : undefined
  const place = idle ?? fresh[0]
  if (place) return orderOn(need, place.device, taken, patience(0))
  const [disturbed] = need.places
    .flatMap(({ device, progress }) => {
      if (progress.kind !== 'disturbed') return []
      const { attempts } = progress
      const tries = attempts.length
      return [{ device, tries, next: nextTry(attempts), why: disturbance(attempts) }]
    })
    .sort((a, b) => a.next.at.getTime() - b.next.at.getTime())
  if (!disturbed) return undefined
  if (disturbed.next.at <= now)
    return orderOn(need, disturbed.device, taken, patience(disturbed.tries))
  return { kind: 'pause', ...disturbed }
}

function orderOn(
  { match, entrant, rival }: Need,
  device: string,
  taken: ReadonlySet<string>,
  quietMs: number,
): Outlook {
  if (taken.has(device)) return { kind: 'under-way', device }
  const order = { match, variant: entrant.key, rival: rival?.key ?? null, device, quietMs }
  return { kind: 'order', order }
}

function describe({ match, entrant, rival }: Need, outlook: Outlook, left: string): string {
  const device = outlook.kind === 'order' ? outlook.order.device : outlook.device
  const beside = match === 'duel' && rival ? ` in turns with ${nameOf(rival)}` : ''
  return `${device} measures ${nameOf(entrant)}${beside} (${left} left)`
}

function waitsForQuiet(
  { entrant, match, rival }: Need,
  { device, next, why }: { readonly device: string; readonly next: NextTry; readonly why: string },
): string {
  const beside = match === 'duel' && rival ? ` in turns with ${nameOf(rival)}` : ''
  const what = `${nameOf(entrant)}${beside} on ${device} (${why})`
  const when = next.at.toISOString().slice(0, 19)
  return next.undecided
    ? `undecided: no quiet moment for ${what}; tried again at ${when}Z. --accept-noise ships on what there is`
    : `waits for a quieter moment to measure ${what}, again at ${when}Z`
}

function nameOf({ scheme, runtime }: Entrant): string {
  return `${scheme} on ${runtime}`
}

/** Those stay: what one device measured can be compared. One that was only ever disturbed need not. */
function measuredOn(attempts: readonly Attempt[], acceptNoise: boolean): ReadonlySet<string> {
  return new Set(
    attempts
      .filter(({ state, record }) => state === 'measured' && isUsable({ record }, acceptNoise))
      .map(({ device }) => device),
  )
}

function triedDevices(attempts: readonly Attempt[]): number {
  return new Set(attempts.map(({ device }) => device)).size
}

/** It was disturbed whenever it was asked. */
function isRestless({ device }: Prober, { attempts, acceptNoise }: TournamentView): boolean {
  const own = attempts.filter((one) => one.device === device && one.state === 'measured')
  return own.length >= RESTLESS_AFTER && !own.some((one) => isUsable(one, acceptNoise))
}

/** Of the chosen, those with the most records first: what one device measured can be compared. */
function byRecords(
  able: readonly Prober[],
  chosen: readonly string[],
  attempts: readonly Attempt[],
): readonly Prober[] {
  const records = (id: string) =>
    attempts.filter(({ device, state }) => device === id && state === 'measured').length
  return [...chosen]
    .sort((a, b) => records(b) - records(a))
    .flatMap((id) => able.find(({ device }) => device === id) ?? [])
}

/** A device that answered for everything it can hold and measured nothing is of no use to the others. */
function isSpent(
  device: Prober,
  { entrants, attempts, dataBytes, acceptNoise }: TournamentView,
): boolean {
  const own = attempts.filter((one) => one.device === device.device)
  if (own.some(({ state }) => state === 'measured')) return false
  return entrants
    .filter(({ bytes }) => fits(device, bytes, dataBytes))
    .every(
      ({ key }) =>
        progressOf(
          own.filter(({ variant }) => variant === key),
          acceptNoise,
        ).kind === 'failed',
    )
}
