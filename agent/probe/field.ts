import { invariant } from '../../shared/errors.ts'
import { BEHIND, isAbove, type LatencyRatio, type ProbeRecord } from '../../shared/measure/index.ts'
import { ChildProcessWatch, type ProbeWatch } from './child-watch.ts'
import { failureOf, ProbeError } from './errors.ts'
import { eachLookedAt } from './field-looks.ts'
import type { ProbeRequest, Side } from './request.ts'
import { measureOne } from './run-probe.ts'
import { keepSpare } from './spare-child.ts'
import { judge } from './verdict.ts'

/** Several variants, each measured in turns with all others. */
export interface FieldRequest {
  /** The first with the baseline that it would be measured beside by itself. */
  readonly entrants: readonly ProbeRequest[]
  /** Of each, what its ratio is to: another by its place, the first one's baseline, or nothing. */
  readonly beside: readonly (number | 'baseline' | null)[]
  /** Time for the latencies of all, ms. */
  readonly measureMs: number
  /** Latency decides, by these ratios to the fastest; absent: it does not. */
  readonly decides?: readonly number[] | undefined
}

export type FieldOutcome =
  | {
      readonly record: ProbeRecord
      /** To each entrant, by its place; null: to itself, or the other was not measured. */
      readonly ratios: readonly (LatencyRatio | null)[]
    }
  | { readonly error: ProbeError }

/** Latencies of some entrants, by their places. */
interface Field {
  record(place: number): ProbeRecord
  ratio(place: number, to: number | 'baseline'): LatencyRatio | null
}

/**
 * What neighbours do not disturb is found out in a process for each, on all processors: whether it loads, what it
 * answers, and what memory it takes. What they do disturb, latency, is measured of all that run, in turns in one process.
 * Where latency decides it comes first: answers to all samples take longest, and who is surely behind gives one.
 * Where they do not fit together the first is measured as it would be by itself, and the others are not.
 * @throws ProbeError `cancelled`
 */
export async function runField(
  request: FieldRequest,
  watch: ProbeWatch = {},
): Promise<readonly FieldOutcome[]> {
  const race = await raced(request, watch)
  const isOver = race !== undefined && !(race instanceof ProbeError)
  const outcomes = isOver ? race : await lookedAtFirst(request, watch, race)
  if (watch.more) keepSpare()
  return outcomes
}

/** Undefined where latency does not decide; why, where not all of them run beside each other. */
async function raced(
  request: FieldRequest,
  watch: ProbeWatch,
): Promise<readonly FieldOutcome[] | ProbeError | undefined> {
  const { entrants, decides } = request
  // Of two each is the other's measure, and both may win.
  if (decides === undefined || entrants.length < 3) return undefined
  const places = [...entrants.keys()]
  const field = await inTurns(places, request, watch)
  if (field instanceof ProbeError) return field
  const most = Math.max(...decides)
  const isBehind = (place: number) =>
    places.some((other) => {
      const ratio = field.ratio(place, other)
      return ratio !== null && isAbove(ratio, most)
    })
  const ahead = places.filter((place) => !isBehind(place))
  const looks = await eachLookedAt(requestsAt(ahead, request), watch)
  return places.map((place) =>
    outcomeOf(place, looks[ahead.indexOf(place)] ?? BEHIND, field, request),
  )
}

/** @param failed why all of them could not be measured before: nor can they now, unless one does not run by itself */
async function lookedAtFirst(
  request: FieldRequest,
  watch: ProbeWatch,
  failed: ProbeError | undefined,
): Promise<readonly FieldOutcome[]> {
  const looks = await eachLookedAt(request.entrants, watch)
  const running = [...looks.keys()].filter((place) => !(looks[place] instanceof ProbeError))
  const again = running.length === looks.length ? failed : undefined
  const field = again ?? (running.length > 0 ? await inTurns(running, request, watch) : undefined)
  const outcomes = new Map(
    field instanceof ProbeError ? await firstAlone(running, field, request, watch) : [],
  )
  return looks.map((look, place): FieldOutcome => {
    if (look instanceof ProbeError) return { error: look }
    const alone = outcomes.get(place)
    if (alone) return alone
    invariant(field && !(field instanceof ProbeError), 'whoever runs is measured')
    return outcomeOf(place, look, field, request)
  })
}

function requestsAt(places: readonly number[], { entrants }: FieldRequest): ProbeRequest[] {
  return places.flatMap((place) => entrants[place] ?? [])
}

/** Of these alone, and of the first one's baseline. @throws ProbeError `cancelled` */
async function inTurns(
  places: readonly number[],
  request: FieldRequest,
  watch: ProbeWatch,
): Promise<Field | ProbeError> {
  const { entrants, beside, measureMs, decides } = request
  const own = requestsAt(places, request)
  const [first] = own
  invariant(first, 'somebody is measured')
  const baseline = beside.includes('baseline') ? (entrants[0]?.baseline ?? null) : null
  const { threads, datasetPath, timeoutMs, memoryLimitBytes, root } = first
  const all: Side[] = [
    ...own,
    ...(baseline ? [{ ...baseline, threads: baseline.threads ?? threads }] : []),
  ]
  const sides = all.map(({ modelPath, engine, threads }) => ({ modelPath, engine, threads }))
  const common = { datasetPath, timeoutMs, memoryLimitBytes, root, decides, measureMs }
  const found = await new ChildProcessWatch({ ...common, sides }, watch).field().catch(failureOf)
  if (found instanceof ProbeError) return found
  const sideOf = (place: number | 'baseline') =>
    place === 'baseline' ? places.length : places.indexOf(place)
  return {
    record(place) {
      const side = found.sides[sideOf(place)]
      invariant(side, 'it was measured')
      return side.record
    },
    ratio: (place, to) => found.sides[sideOf(place)]?.ratios[sideOf(to)] ?? null,
  }
}

/** @param look what it was found to be by itself; or that nobody looked, since it is behind */
function outcomeOf(
  place: number,
  look: ProbeRecord | ProbeError | typeof BEHIND,
  field: Field,
  { entrants, beside }: FieldRequest,
): FieldOutcome {
  if (look instanceof ProbeError) return { error: look }
  const to = beside[place] ?? null
  const ratioToBaseline = to === null ? null : field.ratio(place, to)
  const found = { ...field.record(place), ratioToBaseline }
  const record =
    look === BEHIND ? { ...found, flags: [...found.flags, BEHIND] } : measuredAmong(look, found)
  return { record, ratios: [...entrants.keys()].map((other) => field.ratio(place, other)) }
}

/** A look, with what was measured of it among the others. */
function measuredAmong(
  look: ProbeRecord,
  { threads, latency, ratioToBaseline, environment, evidence }: ProbeRecord,
): ProbeRecord {
  invariant(environment && evidence, 'a field tells its surroundings')
  const grounds = { threads, latency, quality: look.quality, evidence, ...environment }
  return { ...look, latency, ratioToBaseline, environment, evidence, ...judge(grounds) }
}

/** As if nobody else had been asked for. */
async function firstAlone(
  places: readonly number[],
  cause: ProbeError,
  { entrants }: FieldRequest,
  watch: ProbeWatch,
): Promise<readonly (readonly [number, FieldOutcome])[]> {
  const [first, ...others] = places
  const request = first === undefined ? undefined : entrants[first]
  if (first === undefined || !request) return []
  const measure = (one: ProbeRequest) => new ChildProcessWatch(one, watch).result()
  const alone = await measureOne(request, measure).then(
    (record) => ({ record, ratios: [] }),
    (error) => ({ error: failureOf(error) }),
  )
  const why = `not measured beside the others: ${cause.message}`
  const error = new ProbeError('not-beside', why)
  return [[first, alone], ...others.map((place) => [place, { error }] as const)]
}
