import { availableParallelism } from 'node:os'
import type { LatencyRatio, ProbeRecord } from '../../shared/measure/index.ts'
import { deviceRoot } from '../device-root/index.ts'
import { ChildProcessWatch, type ProbeWatch } from './child-watch.ts'
import { readEnvironment } from './environment.ts'
import { ProbeError } from './errors.ts'
import { RecentLooks } from './recent-looks.ts'
import { LATENCY_ALONE, type ProbeRequest, type Side } from './request.ts'
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
  readonly decides?: readonly number[] | undefined
}

export type FieldOutcome =
  | {
      readonly record: ProbeRecord
      /** To each entrant, by its place; null: to itself, or the other was not measured. */
      readonly ratios: readonly (LatencyRatio | null)[]
    }
  | { readonly error: ProbeError }

/** Of a look at what an entrant answers and needs: its latency is measured later. */
const HARDLY_MS = 1
/** A process that runs a model of unknown size may take as much. */
const LIKELY_BYTES = 512 * 1024 * 1024

/** A tournament meets the same files again. */
const recentLooks = new RecentLooks()

type Known = { readonly place: number; readonly request: ProbeRequest; readonly own: ProbeRecord }

/**
 * What neighbours do not disturb is found out first, in a process for each and on all processors: whether it loads, what it
 * answers, and what memory it takes. What they do disturb, latency, is then measured of all that ran, in turns in one
 * process. Where they do not fit there together the first is measured as it would be by itself, and the others are not.
 * @throws ProbeError `cancelled`
 */
export async function runField(
  { entrants, beside, measureMs, decides }: FieldRequest,
  watch: ProbeWatch = {},
): Promise<readonly FieldOutcome[]> {
  const looks = await eachLookedAt(entrants, watch)
  const known = looks.flatMap((look, place): Known[] => {
    const request = entrants[place]
    return request && !(look instanceof ProbeError) ? [{ place, request, own: look }] : []
  })
  const rows: (FieldOutcome | undefined)[] = looks.map((look) =>
    look instanceof ProbeError ? { error: look } : undefined,
  )
  const measured = await besideEachOther(known, { entrants, beside, measureMs, decides }, watch)
  if (watch.more) keepSpare()
  return rows.map((row, place) => row ?? (measured.get(place) as FieldOutcome))
}

async function eachLookedAt(
  entrants: readonly ProbeRequest[],
  watch: ProbeWatch,
): Promise<readonly (ProbeRecord | ProbeError)[]> {
  const looks: (ProbeRecord | ProbeError | undefined)[] = entrants.map(recentLooks.of)
  const open = entrants.flatMap((request, place) => (looks[place] ? [] : [{ request, place }]))
  const atOnce = await looksAtOnce(open.map(({ request }) => request))
  let next = 0
  const lookOn = async () => {
    for (let one = open[next++]; one; one = open[next++]) {
      const { answersMs, ...request } = one.request
      const look = { ...request, ...LATENCY_ALONE, measureMs: HARDLY_MS, answersMs }
      const found = await new ChildProcessWatch(look, watch).result().catch(failureOf)
      looks[one.place] = found
      if (!(found instanceof ProbeError)) recentLooks.keep(one.request, found)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lookOn))
  return looks as readonly (ProbeRecord | ProbeError)[]
}

/** A cancelled probe has no outcome; anything else is one entrant's own. */
function failureOf(error: unknown): ProbeError {
  if (error instanceof ProbeError && error.code !== 'cancelled') return error
  throw error
}

async function looksAtOnce(entrants: readonly ProbeRequest[]): Promise<number> {
  const [first] = entrants
  if (!first) return 0
  const { availableBytes } = await readEnvironment(deviceRoot(first.root))
  const held = first.memoryLimitBytes ?? LIKELY_BYTES
  const byMemory = availableBytes === null ? 1 : Math.floor(availableBytes / held)
  // Nothing that a look finds out depends on how fast it was.
  return Math.max(1, Math.min(byMemory, availableParallelism(), entrants.length))
}

async function besideEachOther(
  known: readonly Known[],
  { entrants, beside, measureMs, decides }: FieldRequest,
  watch: ProbeWatch,
): Promise<ReadonlyMap<number, FieldOutcome>> {
  const [first] = known
  if (!first) return new Map()
  const baseline = beside.includes('baseline') ? (entrants[0]?.baseline ?? null) : null
  const { threads, datasetPath, timeoutMs, memoryLimitBytes, root } = first.request
  const sides: Side[] = [
    ...known.map(({ request }) => request),
    ...(baseline ? [{ ...baseline, threads: baseline.threads ?? threads }] : []),
  ]
  const common = { datasetPath, timeoutMs, memoryLimitBytes, root, decides, measureMs }
  const fields = sides.map(({ modelPath, engine, threads }) => ({ modelPath, engine, threads }))
  try {
    const field = await new ChildProcessWatch({ ...common, sides: fields }, watch).field()
    const { environment, evidence } = field
    return new Map(
      known.map(({ place, request, own }, index) => {
        const { latency, ratios } = field.sides[index] as (typeof field.sides)[number]
        const asked = beside[place] ?? null
        const to = asked === 'baseline' ? known.length : known.findIndex((k) => k.place === asked)
        const grounds = { threads: request.threads, latency, quality: own.quality, evidence }
        const record: ProbeRecord = {
          ...own,
          latency,
          ratioToBaseline: ratios[to] ?? null,
          environment,
          evidence,
          ...judge({ ...grounds, ...environment }),
        }
        const byPlace = entrants.map(
          (_, other) => ratios[known.findIndex((k) => k.place === other)] ?? null,
        )
        return [place, { record, ratios: byPlace }] as const
      }),
    )
  } catch (error) {
    const cause = failureOf(error)
    return await firstAlone(known, cause, watch)
  }
}

/** As if nobody else had been asked for. */
async function firstAlone(
  known: readonly Known[],
  cause: ProbeError,
  watch: ProbeWatch,
): Promise<ReadonlyMap<number, FieldOutcome>> {
  const outcomes = new Map<number, FieldOutcome>()
  for (const { place, request } of known) {
    if (outcomes.size > 0) {
      const why = `not measured beside the others: ${cause.message}`
      outcomes.set(place, { error: new ProbeError('not-beside', why) })
      continue
    }
    const measure = (one: ProbeRequest) => new ChildProcessWatch(one, watch).result()
    const outcome = await measureOne(request, measure).then(
      (record) => ({ record, ratios: [] }),
      (error) => ({ error: failureOf(error) }),
    )
    outcomes.set(place, outcome)
  }
  return outcomes
}
