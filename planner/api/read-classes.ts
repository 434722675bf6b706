import type { Engine } from '../conductor/index.ts'
import { factsOfClass } from '../conductor/index.ts'
import {
  type Device,
  devices as deviceRows,
  models,
  pipelines,
  selections,
} from '../storage/index.ts'
import type { OperationOutput } from './contract.ts'
import { ApiError } from './errors.ts'
import type { ClassView } from './views.ts'

export async function classViews(engine: Engine): Promise<ClassView[]> {
  const ids = await deviceRows.classesInUse(engine.db)
  return Promise.all(
    ids.map(async (id) => classView(engine, id, await deviceRows.devicesOfClass(engine.db, id))),
  )
}

/** @throws ApiError `unknown-class` */
export async function classDetail(
  engine: Engine,
  id: string,
): Promise<OperationOutput<'classes.show'>> {
  const profile = engine.profiles.find((known) => known.id === id)
  const devices = await deviceRows.devicesOfClass(engine.db, id)
  if (!profile && devices.length === 0) {
    const message = `no class "${id}": no firmware profile and no device of that name; see fitment classes`
    throw new ApiError('unknown-class', message)
  }
  return {
    ...classView(engine, id, devices),
    members: devices.map((device) => ({
      device: device.id,
      online: device.online,
      reasons: [...device.classReason],
    })),
    notes: profile?.notes.map(({ text, source }) => `${text} (${source})`) ?? [],
    models: await modelsOf(engine, id),
  }
}

function classView(engine: Engine, id: string, devices: readonly Device[]): ClassView {
  const profile = engine.profiles.find((known) => known.id === id)
  const facts = factsOfClass(id, devices, profile)
  return {
    id,
    name: profile?.name ?? null,
    devices: devices.length,
    online: devices.filter(({ online }) => online).length,
    runtimes: [...facts.runtimes],
    features: [...facts.features],
    storageBytes: facts.storageBytes,
    memoryBytes: facts.memoryBytes,
  }
}

async function modelsOf(engine: Engine, classId: string) {
  const rows = []
  for (const model of await models.listModels(engine.db)) {
    const all = await pipelines.pipelinesOf(engine.db, model.id)
    const pipeline = all.find((row) => row.class === classId)
    if (!pipeline) continue
    const chosen = await selections.currentSelection(engine.db, model.id, classId)
    const why = chosen?.selection.why ?? pipeline.waiting
    rows.push({ model: model.name, stage: pipeline.stage, why })
  }
  return rows
}
