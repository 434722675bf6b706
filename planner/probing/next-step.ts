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
}

export type TournamentStep =
  | { readonly kind: 'measure'; readonly orders: readonly MatchOrder[]; readonly waiting: string }
  /** `stuck`: nothing goes on until something outside changes. */
  | { readonly kind: 'wait'; readonly waiting: string; readonly stuck: boolean }
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

function describe({ match, entrant, rival }: Need, outlook: Outlook, left: string): string {
  const device = outlook.kind === 'order' ? outlook.order.device : outlook.device
  const beside =
    match === 'duel' && rival
      ? ` in turns with ${nameOf(rival)}`
      : match === 'soak'
        ? ' for long'
        : ''
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
