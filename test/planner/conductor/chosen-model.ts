import type { ConductorContext } from '../../../planner/conductor/index.ts'
import type { RolloutOptions } from '../../../planner/rollout/index.ts'
import type { Measured } from '../../../planner/selection/index.ts'
import {
  type Model,
  models,
  pipelines,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import { newModel } from '../storage/sample.ts'

export const options: RolloutOptions = {
  waves: [{ count: 1 }, { share: 1 }],
  gate: { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 },
  approval: false,
  revert: false,
  health: null,
}

/** What the class was seen to run it at: half of float32's latency. */
function measuredAs(key: string): Measured {
  return {
    key,
    scheme: 'static-w8a8',
    runtime: 'litert',
    bytes: 100_000,
    latency: { p50Ms: 5, ci95: [4.95, 5.05], ratio: { p50: 0.5, ci95: [0.49, 0.51] } },
    memoryBytes: 50e6,
    quality: { basis: 'labels', drop: 0, accuracy: 0.9, agreement: 1, sqnrDb: 40 },
    devices: 1,
    notes: [],
  }
}

/**
 * A model whose selection for the class is made already, as planning would leave it: two variants with
 * real bytes in the store, the smaller one chosen. Rollouts are what is looked at.
 */
export async function chosenModel(
  { db, artifacts, now }: ConductorContext,
  classId: string,
  over: Partial<RolloutOptions> = {},
  revision = 'a',
  bytesOf = (key: string, index: number): Buffer =>
    Buffer.alloc(index === 0 ? 100_000 : 300_000, `${key} ${revision}`),
  beforeItIsWanted: () => Promise<void> = async () => {},
): Promise<Model> {
  const { digest: slice } = await artifacts.put(Buffer.from('test data'))
  const reference = { ...newModel.reference, slice }
  const model = await models.addModel(db, { ...newModel, reference }, now())
  const keys = [`small-${revision}`, `large-${revision}`]
  for (const [index, key] of keys.entries()) {
    const { digest } = await artifacts.put(bytesOf(key, index))
    const scheme = index === 0 ? 'static-w8a8' : 'float16'
    await variants.ensureVariant(db, { key, source: newModel.source, scheme, runtime: 'litert' })
    await variants.recordBuilt(
      db,
      key,
      { digest, findings: [], losses: [], operators: null, buildMs: 1 },
      now(),
    )
  }
  const [small = '', large = ''] = keys
  await pipelines.ensurePipeline(db, model.id, classId, now())
  await pipelines.setStage(
    db,
    { model: model.id, class: classId },
    { stage: 'selected', waiting: '' },
    now(),
  )
  const selection = {
    winner: small,
    bestSoFar: small,
    ranking: [small, large],
    rows: [],
    why: 'the smaller of two',
  }
  await selections.addSelection(
    db,
    { model: model.id, class: classId, round: 1, measured: [measuredAs(small)], selection },
    now(),
  )
  await beforeItIsWanted()
  await models.setIntent(db, model.id, 'rollout', { ...options, ...over })
  return model
}
