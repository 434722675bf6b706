import type { Progress } from './attempts.ts'
import type { Entrant } from './evidence.ts'
import { disturbance, type NextTry, nextTry, patienceAfter } from './quiet-time.ts'

/**
 * `heat`: a candidate beside float32 on its own runtime, shortly: what it answers, what it needs, and about how fast it
 * is. `duel`: two that may win, in turns with each other. `soak`: what won, by itself and for long.
 */
export type Match = 'heat' | 'duel' | 'soak'

export interface MatchOrder {
  readonly match: Match
  readonly variant: string
  readonly rival: string | null
  readonly device: string
  /** Longest to wait there for a quiet moment, ms. */
  readonly quietMs: number
  /** Ratios that the decision hangs on: once these are excluded the rest of the time is not needed. */
  readonly decides?: readonly number[]
  /** Measured in the same rounds, each in turns with all others. */
  readonly others?: readonly OtherEntrant[]
}

export interface OtherEntrant {
  readonly variant: string
  /** What people see it beside. */
  readonly rival: string | null
}

export type TournamentStep =
  | {
      readonly kind: 'measure'
      readonly orders: readonly MatchOrder[]
      readonly waiting: string
      /** Every candidate had its heat. */
      readonly isFinal: boolean
    }
  /** `stuck`: nothing goes on until something outside changes. */
  | {
      readonly kind: 'wait'
      readonly waiting: string
      readonly stuck: boolean
      readonly isFinal: boolean
    }
  /** The choice would not change by measuring more, or nothing more can be measured. */
  | { readonly kind: 'over' }

/** Something to be measured: the first device that can do it does. */
export interface Need {
  readonly match: Match
  readonly entrant: Entrant
  readonly rival: Entrant | null
  readonly decides?: readonly number[]
  /** In the order in which they are asked. */
  readonly places: readonly Place[]
}

export interface Place {
  readonly device: string
  readonly progress: Progress
}

/** What it depends on, beside what is needed. */
export interface StepView {
  readonly entrants: readonly Entrant[]
  readonly measuring: ReadonlySet<string>
  readonly acceptNoise: boolean
  readonly building?: boolean
  readonly now: Date
  /** Whether a device may be asked for these in one order; absent: one after the other. */
  readonly takesTogether?: (device: string, entrants: readonly Entrant[]) => boolean
  /** Measured beside whatever heats are asked for together. */
  readonly companions?: readonly Need[]
  /** Every candidate had its heat. */
  readonly isFinal: boolean
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

/** What is asked of whom now, of all that is needed. */
export function stepFor(needs: readonly Need[], view: StepView): TournamentStep {
  if (needs.length === 0) return { kind: 'over' }
  const { isFinal } = view
  const taken = new Set(view.measuring)
  const fields: Field[] = []
  const outlooks = needs.flatMap((need) => {
    const joined = fields.find((field) => joins(need, field, view))
    if (joined) {
      joined.others.push(need)
      const { device } = joined.order
      return [{ need, outlook: { kind: 'under-way', device } as const }]
    }
    const outlook = outlookOf(need, taken, view)
    if (outlook?.kind === 'order') {
      taken.add(outlook.order.device)
      fields.push({ order: outlook.order, first: need, others: [] })
    }
    return outlook ? [{ need, outlook }] : []
  })
  if (outlooks.length === 0) return { kind: 'over' }
  const orders = fields.map((field) => orderOfAll(field, view))
  const moving = outlooks.find(({ outlook }) => outlook.kind !== 'pause')
  if (moving) {
    const left = `${needs.length} of ${view.entrants.length}`
    const waiting = describe(
      moving.need,
      moving.outlook,
      left,
      besidesOf(moving.need, needs, fields),
    )
    return { kind: 'measure', orders, waiting, isFinal }
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
    isFinal,
  }
}

/** How many others are asked for, or measured, in the same rounds. */
function besidesOf(need: Need, needs: readonly Need[], fields: readonly Field[]): number {
  const own = fields.find(({ first }) => first === need)
  if (own) return own.others.length
  const isRunning = ({ places, match }: Need) =>
    match === need.match && places.some(({ progress }) => progress.kind === 'running')
  return isRunning(need) ? needs.filter(isRunning).length - 1 : 0
}

/** What one order of this step measures. */
interface Field {
  readonly order: MatchOrder
  readonly first: Need
  readonly others: Need[]
}

/** Whether it can be measured where the others are, in the same rounds, and beside what people see it beside. */
function joins(need: Need, { order, first, others }: Field, view: StepView): boolean {
  if (need.match !== order.match || need.match === 'soak') return false
  const place = need.places.find(({ device }) => device === order.device)
  const isDue =
    place?.progress.kind === 'open' ||
    (place?.progress.kind === 'disturbed' && nextTry(place.progress.attempts).at <= view.now)
  if (!isDue || (need.match === 'duel' && need.rival?.key !== order.rival)) return false
  return fitTogether(order.device, [first, ...others, need], view)
}

/** These, and what they are measured beside. */
function fitTogether(device: string, needs: readonly Need[], view: StepView): boolean {
  const all = needs.flatMap(({ entrant, rival }) => (rival ? [entrant, rival] : [entrant]))
  const entrants = new Map(all.map((one) => [one.key, one]))
  return view.takesTogether?.(device, [...entrants.values()]) ?? false
}

function orderOfAll({ order, first, others }: Field, view: StepView): MatchOrder {
  const heats = order.match === 'heat'
  const strangers = (view.companions ?? []).filter(
    ({ entrant }) => entrant.key !== first.rival?.key && entrant.key !== order.variant,
  )
  const withThem = [first, ...others, ...strangers.map((one) => ({ ...one, rival: null }))]
  const known = heats && fitTogether(order.device, withThem, view) ? strangers : []
  if (others.length === 0 && known.length === 0) return order
  const named = [...others, ...known].filter(
    ({ entrant }, i, all) =>
      entrant.key !== order.variant &&
      all.findIndex((one) => one.entrant.key === entrant.key) === i,
  )
  const keys = new Set([order.variant, order.rival, ...named.map(({ entrant }) => entrant.key)])
  // What people see them beside comes along; what was measured before is known beside it.
  const beside = heats
    ? [...new Set(others.flatMap(({ rival }) => rival?.key ?? []))].filter((key) => !keys.has(key))
    : []
  for (const key of beside) keys.add(key)
  const rivalOf = ({ rival }: Need) => (rival && keys.has(rival.key) ? rival.key : null)
  const decides = [...new Set([first, ...others].flatMap((one) => one.decides ?? []))]
  return {
    ...order,
    ...(decides.length > 0 && { decides }),
    others: [
      ...named.map((need) => ({ variant: need.entrant.key, rival: rivalOf(need) })),
      ...beside.map((key) => ({ variant: key, rival: null })),
    ],
  }
}

/** Another device of the class first, then the same in a quieter moment. */
function outlookOf(
  need: Need,
  taken: ReadonlySet<string>,
  { now, acceptNoise, building = false }: StepView,
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
  { match, entrant, rival, decides }: Need,
  device: string,
  taken: ReadonlySet<string>,
  quietMs: number,
): Outlook {
  if (taken.has(device)) return { kind: 'under-way', device }
  const order = {
    ...{ match, variant: entrant.key, rival: rival?.key ?? null, device, quietMs },
    ...(decides && { decides }),
  }
  return { kind: 'order', order }
}

function describe(
  { match, entrant, rival }: Need,
  outlook: Outlook,
  left: string,
  others = 0,
): string {
  const device = outlook.kind === 'order' ? outlook.order.device : outlook.device
  const beside =
    match === 'duel' && rival
      ? ` in turns with ${nameOf(rival)}`
      : match === 'soak'
        ? ' for long'
        : ''
  const many = others === 1 ? 'one other' : `${others} others`
  const more = others === 0 ? '' : `${beside === '' ? ' in turns with' : ' and'} ${many}`
  return `${device} measures ${nameOf(entrant)}${beside}${more} (${left} left)`
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
