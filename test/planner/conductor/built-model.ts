import { type Model, models, pipelines, variants } from '../../../planner/storage/index.ts'
import { newModel } from '../storage/sample.ts'
import type { Planner } from './scripted-fleet.ts'

/** Two variants in ONNX Runtime, built and answered for, of a source that is in no store. */
export async function builtModel({ conductor }: Planner, classId: string): Promise<Model> {
  const { db, artifacts, now } = conductor.context
  const { digest: slice } = await artifacts.put(Buffer.from('test data'))
  const { digest: whole } = await artifacts.put(Buffer.from('all test data'))
  const facts = { ...newModel.facts, format: 'onnx' } as const
  const reference = { ...newModel.reference, slice, whole }
  const model = await models.addModel(db, { ...newModel, facts, reference }, now())
  const { source } = model
  for (const scheme of ['float32', 'static-w8a8-s8s8']) {
    await variants.ensureVariant(db, { key: scheme, source, scheme, runtime: 'onnxruntime' })
    const { digest } = await artifacts.put(Buffer.alloc(1000, scheme))
    await variants.recordBuilt(
      db,
      scheme,
      { digest, findings: [], losses: [], operators: null, buildMs: 1 },
      now(),
    )
    const { wholeQuality } = reference
    const answers = { variant: scheme, whole: wholeQuality, slice: wholeQuality, selfTest: slice }
    await variants.recordEvaluation(db, whole, answers, now())
    const plan = {
      scheme,
      runtime: 'onnxruntime',
      variant: scheme,
      kept: true,
      reason: '',
    } as const
    await variants.addCandidate(db, model.id, classId, plan)
  }
  await pipelines.ensurePipeline(db, model.id, classId, now())
  const only = { model: model.id, class: classId }
  await pipelines.setStage(db, only, { stage: 'probing', waiting: '' }, now())
  await models.setIntent(db, model.id, 'plan')
  return model
}
