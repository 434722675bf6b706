import { fits, judgeOnHost, measuredRow, summarise } from '../probing/index.ts'
import { choose, type Measured, type Selection, type SelectionRow } from '../selection/index.ts'
import {
  devices as deviceRows,
  type Model,
  type Pipeline,
  type Probe,
  pipelines,
  probes as probeRows,
  rollouts,
  selections,
} from '../storage/index.ts'
import { baselineRuntime } from './baseline.ts'
import { candidateViews } from './candidates.ts'
import { roomOf } from './class-facts.ts'
import { commit } from './commit.ts'
import type { Engine } from './engine.ts'
import { type CandidateView, readyOnes } from './pipeline-plan.ts'
import { proberOf } from './probers.ts'
import { recordsOf } from './records.ts'

/** Chooses from what was measured in this round, and writes down why. */
export async function select(engine: Engine, model: Model, pipeline: Pipeline): Promise<void> {
  const { db } = engine
  const only = { class: pipeline.class, round: pipeline.round }
  const probes = await probeRows.probesOf(db, model.id, only)
  const devices = await deviceRows.devicesOfClass(db, pipeline.class)
  const candidates = await candidateViews(engine, model, pipeline.class)
  const ready = readyOnes(candidates, model.constraints.maxAccuracyDrop)
  const baseline = baselineRuntime(model, devices)
  const sent = new Set(ready.map(({ variant }) => variant.key))
  const measured = ready.flatMap(({ variant, evaluation }) => {
    const summary = summarise(recordsOf(variant.key, probes))
    if (!summary) return []
    const { key, scheme, runtime, bytes } = variant
    const isBaseline = scheme === 'float32' && runtime === (baseline ?? runtime)
    return [
      measuredRow({
        key,
        scheme,
        runtime,
        bytes: bytes ?? 0,
        summary,
        isBaseline,
        host: evaluation,
      }),
    ]
  })
  const chosen = choose({
    candidates: measured,
    constraints: model.constraints,
    objective: model.objective,
    // Memory was kept to by the devices that measured: what did not fit there has no record.
    room: { storageBytes: roomOf(devices).storageBytes, memoryBytes: null },
    incumbent: await incumbentOf(engine, model, pipeline.class),
  })
  const holds = (bytes: number) => devices.some((device) => fits(proberOf(device, 0), bytes))
  const unmeasured = candidates
    .filter(
      ({ plan, variant }) => plan.kept && variant && !measured.some((m) => m.key === variant.key),
    )
    .map((candidate) => ({
      key: candidate.variant?.key ?? '',
      verdict: 'dropped' as const,
      reason: whyUnmeasured(candidate, { probes, sent, holds, model }),
    }))
  const selection: Selection = { ...chosen, rows: [...chosen.rows, ...unmeasured] }
  await store(engine, model, pipeline, measured, selection)
}

async function store(
  engine: Engine,
  model: Model,
  pipeline: Pipeline,
  measured: readonly Measured[],
  selection: Selection,
): Promise<void> {
  const stage = selection.winner === null ? 'no-fit' : 'selected'
  await commit(engine, 'selection.made', async (trx) => {
    const { class: classId, round } = pipeline
    await selections.addSelection(
      trx,
      { model: model.id, class: classId, round, measured, selection },
      engine.now(),
    )
    await pipelines.setStage(trx, pipeline, { stage, waiting: selection.why }, engine.now())
  })
  const what = `${pipeline.class}: ${selection.why}`
  engine.progress.emit({ model: model.name, what, done: 0, total: 0 })
}

interface Circumstances {
  readonly probes: readonly Probe[]
  readonly sent: ReadonlySet<string>
  readonly holds: (bytes: number) => boolean
  readonly model: Model
}

function whyUnmeasured(
  { variant, evaluation }: CandidateView,
  { probes, sent, holds, model }: Circumstances,
): SelectionRow['reason'] {
  if (!variant) return 'never built'
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
async function incumbentOf(engine: Engine, model: Model, classId: string): Promise<string | null> {
  const served = (await rollouts.rolloutsOf(engine.db, model.name)).find(
    ({ class: id, state }) => id === classId && state === 'done',
  )
  if (!served) return null
  const { selection } = (await selections.selectionBySeq(engine.db, served.selection)) ?? {}
  return selection?.winner ?? null
}
