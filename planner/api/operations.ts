import { type ConductorContext, clockAdvice } from '../conductor/index.ts'
import { engineNotesOf, type Model, models } from '../storage/index.ts'
import { addModel } from './add-model.ts'
import { type Call, deviceNamed, drivenModel, modelNamed } from './call.ts'
import type { OperationInput, OperationName, OperationOutput } from './contract.ts'
import { labelDevices, removeDevice, retireDevice } from './devices.ts'
import { explain } from './explain.ts'
import { brokerCredentials, inviteDevice, inviteMany, revokeDevice } from './invite.ts'
import {
  batchNamed,
  dropBatch,
  forgetKey,
  listKeys,
  pendingBatches,
  rotateKeys,
  submitSignatures,
} from './keys.ts'
import { annotate, prune, removeModel } from './lifecycle.ts'
import { addOperator, listOperators, revokeOperator } from './operators.ts'
import { plan } from './plan.ts'
import { classDetail, classViews } from './read-classes.ts'
import { deviceView, listDevices } from './read-devices.ts'
import { readAlarms, readHealth } from './read-health.ts'
import { classPlans } from './read-plan.ts'
import { rolloutStatus } from './read-rollouts.ts'
import { auditViews, modelView, probeViews } from './read-views.ts'
import { history, revisionNamed } from './revisions.ts'
import { changeRollout, resumeRollout, rollBack, startRollouts } from './rollouts.ts'
import { addPackage, listPackages, removePackage } from './runtime-packages.ts'
import { removeWindow, setWindow, windowViews } from './windows.ts'

type Run<K extends OperationName> = (
  input: OperationInput<K>,
  call: Call,
) => Promise<OperationOutput<K>>

/** What each operation does; the contract says its shape. */
export const RUN: { readonly [K in OperationName]: Run<K> } = {
  'planner.info': async (_, { info, context }) => {
    const advice = await clockAdvice(context.db, context.now())
    return { ...info, ...(advice !== undefined && { clock: advice }) }
  },

  'devices.list': (input, { context }) => listDevices(input, context),

  async 'devices.show'({ device: id }, { context }) {
    const device = await deviceNamed(context, id)
    const { firstSeen, classReason, report } = device
    const view = await deviceView(context.db, device, context.now())
    const engineNotes = await engineNotesOf(context.db, id)
    return { ...view, firstSeen, reasons: [...classReason], report, engineNotes }
  },

  'devices.label': labelDevices,
  'devices.retire': retireDevice,
  'devices.remove': removeDevice,
  'devices.invite': inviteDevice,
  'devices.inviteMany': inviteMany,
  'devices.revoke': revokeDevice,
  'operators.add': addOperator,
  'operators.list': listOperators,
  'operators.revoke': revokeOperator,

  'windows.set': setWindow,
  'windows.list': (_, { context }) => windowViews(context),
  'windows.remove': removeWindow,

  'classes.list': (_, { context }) => classViews(context),
  'classes.show': ({ class: id }, { context }) => classDetail(context, id),

  'models.add': addModel,

  async 'models.list'(_, { context }) {
    const all = await models.listModels(context.db)
    return Promise.all(all.map((model) => modelView(context.db, model)))
  },

  async 'models.show'({ model: name, revision }, { context }) {
    const model = await revisionNamed(context, name, revision)
    const view = await modelView(context.db, model)
    return { ...view, facts: model.facts, plans: await classPlans(context, model) }
  },

  'models.history': ({ model }, { context }) => history(context, model),

  'models.annotate': annotate,
  'models.prune': prune,
  'models.remove': removeModel,

  'runtimes.add': addPackage,
  'runtimes.list': (_, { context }) => listPackages(context),
  'runtimes.remove': removePackage,

  async 'variants.list'({ model: name }, { context }) {
    const rows = []
    for (const model of await wanted(context, name)) {
      for (const { class: id, candidates } of await classPlans(context, model)) {
        rows.push(...candidates.map((row) => ({ model: model.name, class: id, ...row })))
      }
    }
    return rows
  },

  async 'probes.list'({ model: name }, { context }) {
    const all = await wanted(context, name)
    return (await Promise.all(all.map((model) => probeViews(context.db, model)))).flat()
  },

  plan,
  'plan.explain': explain,
  'rollout.start': startRollouts,
  rollback: rollBack,
  async 'rollout.status'({ model }, { context }) {
    return rolloutStatus(context, await drivenModel(context, model))
  },
  'rollout.pause': (input, call) => changeRollout('pause', input, call),
  'rollout.resume': resumeRollout,
  'rollout.abort': (input, call) => changeRollout('abort', input, call),
  'rollout.approve': (input, call) => changeRollout('approve', input, call),

  health: readHealth,
  'alarms.list': readAlarms,

  'broker.credentials': brokerCredentials,
  'keys.list': listKeys,
  'keys.pending': pendingBatches,
  'keys.batch': ({ batch }, { context }) => batchNamed(context, batch),
  'keys.submit': submitSignatures,
  'keys.drop': dropBatch,
  'keys.rotate': rotateKeys,
  'keys.forget': forgetKey,

  'audit.list': ({ limit, subject }, { context }) =>
    auditViews(context.db, subject === undefined ? { limit } : { limit, subject }),
}

async function wanted(
  context: ConductorContext,
  name: string | undefined,
): Promise<readonly Model[]> {
  return name === undefined ? models.listModels(context.db) : [await modelNamed(context, name)]
}
