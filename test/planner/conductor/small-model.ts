import { readFile } from 'node:fs/promises'
import { addModel } from '../../../planner/api/models/add-model.ts'
import type { Constraints } from '../../../planner/selection/index.ts'
import { type Model, models } from '../../../planner/storage/index.ts'
import { fewSamples, SMALL_MODEL } from '../variants/small-model.ts'
import { callOf, type Planner } from './scripted-fleet.ts'

/** The demo's float model with few samples, so that building and measuring take seconds. */
export async function register(p: Planner, limits: Partial<Constraints> = {}): Promise<Model> {
  const { context } = p.conductor
  const put = async (bytes: Uint8Array, name: string) => ({
    digest: (await context.artifacts.put(bytes)).digest,
    name,
  })
  await addModel(
    {
      name: 'motor',
      source: await put(await readFile(SMALL_MODEL), 'model.tflite'),
      calibration: await put(await fewSamples('calibration', 16), 'calibration.npz'),
      test: await put(await fewSamples('test', 40), 'test.npz'),
      objective: 'latency',
      constraints: {
        maxAccuracyDrop: 0.5,
        maxLatencyMs: null,
        maxMemoryBytes: null,
        maxBytes: null,
        ...limits,
      },
    },
    callOf(p, 'cli:test'),
  )
  const model = await models.findModel(context.db, 'motor')
  if (!model) throw new Error('not registered')
  return model
}
