import { profileOf } from '../../classes/index.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { describeParts, factsOfClass, noticedIn } from '../../conductor/index.ts'
import {
  type Device,
  devices as deviceRows,
  models,
  pipelines,
  selections,
} from '../../storage/index.ts'
import type { OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { ClassView } from '../contract/views.ts'

export async function classViews(context: ConductorContext): Promise<ClassView[]> {
  const ids = await deviceRows.classesInUse(context.db)
  return Promise.all(
    ids.map(async (id) => classView(context, id, await deviceRows.devicesOfClass(context.db, id))),
  )
}

/** @throws ApiError `unknown-class` */
export async function classDetail(
  context: ConductorContext,
  id: string,
): Promise<OperationOutput<'classes.show'>> {
  const profile = profileOf(context.profiles, id)
  const devices = await deviceRows.devicesOfClass(context.db, id)
  if (!profile && devices.length === 0) {
    const message = `no class "${id}": no firmware profile and no device of that name; see fitment classes`
    throw new ApiError('unknown-class', message)
  }
  return {
    ...classView(context, id, devices),
    members: devices.map((device) => ({
      device: device.id,
      online: device.online,
      reasons: [...device.classReason],
    })),
    notes: profile?.notes.map(({ text, source }) => `${text} (${source})`) ?? [],
    models: await modelsOf(context, id),
    speeds: await speedsOf(context, id),
  }
}

function classView(context: ConductorContext, id: string, devices: readonly Device[]): ClassView {
  const profile = profileOf(context.profiles, id)
  const facts = factsOfClass(id, devices, profile)
  return {
    id,
    name: profile?.name ?? null,
    devices: devices.length,
    online: devices.filter(({ online }) => online).length,
    runtimes: [...facts.targets],
    features: [...facts.features],
    storageBytes: facts.storageBytes,
    memoryBytes: facts.memoryBytes,
  }
}

async function speedsOf({ db }: ConductorContext, classId: string): Promise<string[]> {
  const told: string[] = []
  for (const { id, name } of await models.listModels(db)) {
    const noticed = await noticedIn(db, { model: id, class: classId })
    if (noticed) told.push(`${name} ${describeParts(noticed)}`)
  }
  return told
}

async function modelsOf(context: ConductorContext, classId: string) {
  const rows = []
  for (const model of await models.listModels(context.db)) {
    const all = await pipelines.pipelinesOf(context.db, model.id)
    const pipeline = all.find((row) => row.class === classId)
    if (!pipeline) continue
    const chosen = await selections.currentSelection(context.db, model.id, classId)
    const why = chosen?.selection.why ?? pipeline.waiting
    rows.push({ model: model.name, revision: model.revision, stage: pipeline.stage, why })
  }
  return rows
}
