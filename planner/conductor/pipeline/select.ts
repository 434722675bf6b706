import { formatRatio } from '../../../shared/units.ts'
import {
  beatenYardsticks,
  type Evidence,
  fits,
  judgeOnHost,
  outForecast,
} from '../../probing/index.ts'
import {
  choose,
  type Selection,
  type SelectionInput,
  type SelectionRow,
} from '../../selection/index.ts'
import {
  devices as deviceRows,
  type Model,
  type Pipeline,
  type Probe,
  pipelines,
  rollouts,
  selections,
} from '../../storage/index.ts'
import type { CandidateView } from '../building/candidate-view.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { sampleOfClass } from '../devices/class-sample.ts'
import { proberOf } from '../devices/probers.ts'
import { classEvidence } from './class-evidence.ts'

/**
 * Chooses from what was measured in this round, and writes down why.
 * @param spared candidates that could not win and were not measured, by key, with why
 */
export async function select(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
  spared: ReadonlyMap<string, string>,
): Promise<void> {
  const { db } = context
  const evidence = await classEvidence(context, model, pipeline)
  const tried = new Set(evidence.probes.map(({ device }) => device))
  const devices = await sampleOfClass(db, pipeline.class, tried)
  const { candidates, entrants, probes, measured, duels, probers } = evidence
  const sent = new Set(entrants.map(({ key }) => key))
  const rules = await rulesOf(context, model, pipeline.class)
  const chosen = choose({ ...rules, candidates: measured, duels, probers })
  const beaten = beatenYardsticks(entrants, evidence, rules)
  const holds = (bytes: number) => devices.some((device) => fits(proberOf(device, 0), bytes))
  const needless = outForecast(entrants, evidence, evidence.prior, rules)
  const lostTo = (key: string) => {
    const doomed = needless.get(key)
    const faster = entrants.find((one) => one.key === doomed?.by)
    if (doomed && faster)
      return `expected to take ${formatRatio(doomed.forecast.ratio)} the latency of ${faster.scheme} on ${faster.runtime}, and at least ${formatRatio(doomed.forecast.low)}, by what ${evidence.prior.costs.groups} other plans measured: not measured`
    const { by, ratio } = beaten.get(key) ?? {}
    const other = entrants.find((one) => one.key === by)
    if (!other || !ratio) return undefined
    return `${formatRatio(ratio.p50)} the latency of ${other.scheme} on ${other.runtime}, measured in turns with it`
  }
  const unmeasured = candidates
    .filter(
      ({ plan, variant }) => plan.kept && variant && !measured.some((m) => m.key === variant.key),
    )
    .map((candidate) => ({
      key: candidate.variant?.key ?? '',
      verdict: 'dropped' as const,
      reason: whyUnmeasured(candidate, { probes, sent, holds, model, spared, lostTo }),
    }))
  const doubts = [...evidence.notBelieved].map(([device, why]) => `; ${device} is left out: ${why}`)
  const selection: Selection = {
    ...chosen,
    why: `${chosen.why}${acceptedClause(evidence)}${doubts.join('')}`,
    rows: [...chosen.rows, ...unmeasured],
  }
  await store(context, model, pipeline, evidence, selection)
}

/** What a choice is made by, besides what was measured. */
export async function rulesOf(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<Pick<SelectionInput, 'constraints' | 'objective' | 'room' | 'incumbent'>> {
  const { storageBytes } = await deviceRows.largestRooms(context.db, classId)
  return {
    constraints: model.constraints,
    objective: model.objective,
    // Memory was kept to by the devices that measured: what did not fit there has no record.
    room: { storageBytes, memoryBytes: null },
    incumbent: await incumbentOf(context, model, classId),
  }
}

/** Said where a choice rests on disturbed records. */
function acceptedClause({ accepted }: Evidence): string {
  if (accepted.length === 0) return ''
  return `; measured while devices were disturbed (${accepted.join(', ')}), accepted by --accept-noise`
}

async function store(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
  { measured }: Evidence,
  selection: Selection,
): Promise<void> {
  const stage = selection.winner === null ? 'no-fit' : 'selected'
  await commit(context, 'selection.made', async (trx) => {
    const { class: classId, round } = pipeline
    await selections.addSelection(
      trx,
      { model: model.id, class: classId, round, measured, selection },
      context.now(),
    )
    await pipelines.setStage(trx, pipeline, { stage, waiting: selection.why }, context.now())
  })
  const what = `${pipeline.class}: ${selection.why}`
  context.progress.emit({ model: model.name, what, done: 0, total: 0 })
}

interface Circumstances {
  readonly probes: readonly Probe[]
  readonly sent: ReadonlySet<string>
  readonly holds: (bytes: number) => boolean
  readonly model: Model
  readonly spared: ReadonlyMap<string, string>
  /** Who is shown to be better, for a yardstick that had no measurement of its own. */
  readonly lostTo: (key: string) => string | undefined
}

function whyUnmeasured(
  { variant, evaluation }: CandidateView,
  { probes, sent, holds, model, spared, lostTo }: Circumstances,
): SelectionRow['reason'] {
  if (!variant) return 'never built'
  const known = spared.get(variant.key) ?? lostTo(variant.key)
  if (known !== undefined) return known
  if (variant.state === 'failed') return `not built: ${variant.error}`
  const verdict = evaluation && judgeOnHost(evaluation.whole, model.constraints.maxAccuracyDrop)
  if (verdict && !verdict.send && !sent.has(variant.key)) return verdict.reason
  if (!holds(variant.bytes ?? 0)) return 'the built file fits no device of the class'
  const failures = probes.filter(({ variant: key, error }) => key === variant.key && error)
  const last = failures.at(-1)
  if (last?.error) return `not measured: ${last.device}: ${last.error.message}`
  return 'not measured: it fits none of the devices that measured'
}

/** What the class runs today, whichever revision it came from: equal files have equal keys. */
async function incumbentOf(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<string | null> {
  const served = (await rollouts.rolloutsOf(context.db, model.name)).find(
    ({ class: id, state }) => id === classId && state === 'done',
  )
  if (!served) return null
  const { selection } = (await selections.selectionBySeq(context.db, served.selection)) ?? {}
  return selection?.winner ?? null
}
