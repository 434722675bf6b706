import { choose, GAIN, leaderOf, openQuestions, type SelectionInput } from '../selection/index.ts'
import {
  type Attempt,
  isBehind,
  isUsable,
  type Progress,
  progressOf,
  takesMany,
} from './attempts.ts'
import { beatenYardsticks } from './beaten.ts'
import { chooseProbers, fits, type Prober } from './choose-probers.ts'
import { type Entrant, type Evidence, evidenceOf } from './evidence.ts'
import { pairsIn } from './field-pairs.ts'
import { likelyFirst, mayLoseTo, outForecast, type Prior } from './forecasts.ts'
import { type Need, type Place, type StepView, stepFor, type TournamentStep } from './next-step.ts'

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
  /** What was learnt from other models; absent: nothing. */
  readonly prior?: Prior | undefined
  /** What wins is also measured for long. */
  readonly soak?: boolean
  /**
   * Other candidates are still being built, on a machine that devices may share: only heats begin, and each waits the
   * longer for a quiet moment.
   */
  readonly building?: boolean
  /** Several may be measured by one order, each in turns with all others. */
  readonly fields?: boolean
  /** The planner just started: devices that seem offline may be about to say birth. */
  readonly settlingIn: boolean
  readonly now: Date
}

/** Clean duels of one pair, spread over as many devices: what these do not show is no difference worth more of them. */
const MOST_DUELS = 6
const DUELS_PER_DEVICE = 2

/** What other devices will say differs by about so much: where there are any, what is nearer to its bound is measured to its end. */
const DOUBTFUL = 1.02

/** Measured by one order, at most. */
const MOST_IN_FIELD = 8
/** Who is surely behind the fastest by more, and who surely is not by less, needs no further rounds. */
const FIELD_BOUNDS = [GAIN, 1 / GAIN]

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
  // Who is away, perhaps for good, takes no place from who is here, however disturbed.
  const isAnyHere = rested.some(({ online }) => online)
  const pool = isAnyHere && triedDevices(attempts) < MOST_DEVICES ? rested : able
  const sticky = measuredOn(attempts, acceptNoise)
  const { devices: chosen, why } = chooseProbers(pool, sticky)
  if (chosen.length === 0) return withoutDevices(view, able, evidence, why)
  const probers = byRecords(able, chosen, attempts)
  const inFields = (view.fields ?? false) && !view.building
  const openHeats = heatsLeft(view, evidence, probers, inFields)
  if (openHeats.length === 0 && view.building) return { kind: 'over' }
  const duellists = byRecords(able, chooseProbers(pool, sticky, MOST_DUELS).devices, attempts)
  const needs =
    openHeats.length > 0
      ? openHeats
      : finals(view, evidence, { probers, duellists }).filter(isUnsettled)
  const isFinal = openHeats.length === 0
  return stepFor(needs, { ...view, isFinal, ...(inFields && togetherIn(view, evidence, isFinal)) })
}

/** All that could measure has said what it can, or what could is not there. */
function withoutDevices(
  { devices, settlingIn }: TournamentView,
  able: readonly Prober[],
  { notBelieved }: Evidence,
  why: string,
): TournamentStep {
  if (able.length === 0 && devices.length > 0) return { kind: 'over' }
  const [liar] = notBelieved
  if (liar && able.length === 0) {
    const waiting = `waits for a device that can be believed: ${liar[0]} is left out: ${liar[1]}`
    return { kind: 'wait', waiting, stuck: true, isFinal: false }
  }
  const waiting = `waits for a device to measure on: ${why}`
  return { kind: 'wait', waiting, stuck: !settlingIn, isFinal: false }
}

/** Of candidates that may still win, as far as is known. */
function heatsLeft(
  view: TournamentView,
  evidence: Evidence,
  probers: readonly Prober[],
  inFields: boolean,
): readonly Need[] {
  const { entrants, prior, rules } = view
  const beaten = beatenYardsticks(entrants, evidence, rules)
  const needless = outForecast(entrants, evidence, prior, rules)
  const heats = yardsticksLast(likelyFirst(entrants, prior))
    .filter(({ key }) => !beaten.has(key) && !needless.has(key))
    .filter(({ key, yardstick }) => !(view.building && key === yardstick))
    .map((entrant) => heatOf(entrant, probers, view))
    .filter(isUnsettled)
  if (!inFields) return heats
  // What these may show to be needless is not measured beside them.
  return heats
    .filter(({ entrant }, i) => {
      const before = heats.slice(0, i).map((need) => need.entrant)
      return !mayLoseTo(entrant, before, prior, rules)
    })
    .map((need) => ({
      ...need,
      ...(rules.objective === 'latency' && { decides: doubted(FIELD_BOUNDS, probers) }),
    }))
}

/** Who may be asked for many at once, and who is measured beside those that come later. */
function togetherIn(
  view: TournamentView,
  evidence: Evidence,
  isFinal: boolean,
): Pick<StepView, 'takesTogether' | 'companions'> {
  const leader = leaderOf({ ...view.rules, candidates: evidence.measured, duels: evidence.duels })
  const entrant = view.entrants.find(({ key }) => key === leader)
  return {
    takesTogether: (id, entrants) => {
      const device = view.devices.find((one) => one.device === id)
      const bytes = entrants.reduce((sum, one) => sum + one.bytes, view.dataBytes)
      if (!device || entrants.length > MOST_IN_FIELD || !takesMany(id, view.attempts)) return false
      return bytes <= (device.storageBytes ?? Number.POSITIVE_INFINITY)
    },
    companions:
      entrant && !isFinal
        ? [{ match: 'heat', entrant, rival: yardstickOf(entrant, view), places: [] }]
        : [],
  }
}

/** What is measured beside them may make a heat of their own needless. */
function yardsticksLast(entrants: readonly Entrant[]): readonly Entrant[] {
  const isYardstick = ({ key, yardstick }: Entrant) => Number(key === yardstick)
  return [...entrants].sort((a, b) => isYardstick(a) - isYardstick(b))
}

function heatOf(entrant: Entrant, probers: readonly Prober[], view: TournamentView): Need {
  const own = heatsOf(entrant, view)
  const answered = own.some((one) => progressOf([one], view.acceptNoise).kind === 'answered')
  const able = probers.filter((device) => fits(device, entrant.bytes, view.dataBytes))
  const places = answered ? [] : placesFor(own, able, view.acceptNoise)
  return { match: 'heat', entrant, rival: yardstickOf(entrant, view), places }
}

/** Also its duels: what was measured in them needs no heat. */
function heatsOf({ key }: Entrant, { attempts }: TournamentView): readonly Attempt[] {
  return attempts.filter(({ variant, match }) => variant === key && match !== 'soak')
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
  const duels = openQuestions(input).flatMap(({ key, rival, beats }) => {
    const [one, other] = [entrantOf(key), entrantOf(rival)]
    if (!one || !other) return []
    return [{ ...duelOf(one, other, duellists, view), decides: doubted([beats], duellists) }]
  })
  if (duels.some(isUnsettled)) return duels
  const winner = entrantOf(choose(input).winner ?? '')
  if (!winner) return []
  const seen = witnesses(winner, probers, view)
  return seen.some(isUnsettled) || !view.soak ? seen : soaks(winner, probers, view)
}

/** What an interval must have left for a measurement to end. */
function doubted(bounds: readonly number[], askedOf: readonly Prober[]): readonly number[] {
  if (askedOf.length < 2) return bounds
  return bounds.flatMap((bound) => [bound / DOUBTFUL, bound * DOUBTFUL])
}

/** The devices with the fewest duels of this pair come first. */
function duelOf(
  one: Entrant,
  other: Entrant,
  probers: readonly Prober[],
  { attempts, acceptNoise, dataBytes }: TournamentView,
): Need {
  const own = [...attempts, ...pairsIn(attempts)].filter(
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

/** One device is no class: what wins is seen on all that measure, with all that it answers there. */
function witnesses(winner: Entrant, probers: readonly Prober[], view: TournamentView): Need[] {
  const rival = yardstickOf(winner, view)
  return probers
    .filter((device) => fits(device, winner.bytes, view.dataBytes))
    .map((device) => {
      const own = heatsOf(winner, view).filter(
        (one) => one.device === device.device && !isBehind(one),
      )
      const places = placesFor(own, [device], view.acceptNoise)
      return { match: 'heat' as const, entrant: winner, rival, places }
    })
}

/** Heat shows late: every device that measured runs the winner for long, once. */
function soaks(winner: Entrant, probers: readonly Prober[], view: TournamentView): Need[] {
  return probers
    .filter((device) => fits(device, winner.bytes, view.dataBytes))
    .map((device) => {
      const own = view.attempts.filter(
        (one) => one.match === 'soak' && one.device === device.device && one.variant === winner.key,
      )
      // Whatever it said, it is what long work does there: throttled is an answer.
      const isOver = own.some(({ state }) => state === 'measured')
      const places = isOver ? [] : placesFor(own, [device], true)
      return { match: 'soak' as const, entrant: winner, rival: null, places }
    })
}

function isUnsettled({ places }: Need): boolean {
  return places.some(({ progress }) => progress.kind !== 'failed' && progress.kind !== 'answered')
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
