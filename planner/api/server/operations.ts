import { type ConductorContext, clockAdvice } from '../../conductor/index.ts'
import { engineNotesOf, type Model, models } from '../../storage/index.ts'
import { type Call, deviceNamed, drivenModel, modelNamed } from '../call/call.ts'
import type {
  ListName,
  OperationAnswer,
  OperationInput,
  OperationName,
  OperationOutput,
} from '../contract/contract.ts'
import { type Page, pageIn } from '../contract/paging.ts'
import { labelDevices, removeDevice, retireDevice } from '../devices/devices.ts'
import {
  brokerCredentials,
  inviteDevice,
  inviteMany,
  listInvites,
  revokeDevice,
  revokeInvite,
} from '../devices/invite.ts'
import { classDetail, classViews } from '../devices/read-classes.ts'
import { deviceView, listDevices } from '../devices/read-devices.ts'
import { removeWindow, setWindow, windowViews } from '../devices/windows.ts'
import { readAlarms, readHealth } from '../health/read-health.ts'
import { listSamples, readSamples } from '../health/read-samples.ts'
import {
  batchNamed,
  dropBatch,
  forgetKey,
  listKeys,
  pendingBatches,
  rotateKeys,
  submitSignatures,
} from '../keys/keys.ts'
import { addModel } from '../models/add-model.ts'
import { explain } from '../models/explain.ts'
import { annotate, prune, removeModel } from '../models/lifecycle.ts'
import { plan } from '../models/plan.ts'
import { classPlans } from '../models/read-plan.ts'
import { modelView, probesOf, probeViews } from '../models/read-views.ts'
import { history, revisionNamed } from '../models/revisions.ts'
import { listAudit } from '../operators/audit.ts'
import { addOperator, listOperators, revokeOperator } from '../operators/operators.ts'
import { listMembers, listRollouts, showRollout } from '../rollouts/list-rollouts.ts'
import { rolloutStatus } from '../rollouts/read-rollouts.ts'
import { changeRollout, resumeRollout, rollBack, startRollouts } from '../rollouts/rollouts.ts'
import { addPackage, listPackages, removePackage } from '../runtimes/runtime-packages.ts'
import { makeShipments } from '../shipments/make-shipments.ts'
import {
  addWebhook,
  listDead,
  listWebhooks,
  removeWebhook,
  retryDelivery,
} from '../webhooks/webhooks.ts'

type Run<K extends OperationName> = (
  input: OperationInput<K>,
  call: Call,
) => Promise<OperationAnswer<K>>

type ItemOf<K extends ListName> = OperationOutput<K> extends (infer Item)[] ? Item : never

/** Lists that are read whole, and cut to the page that is asked. */
function whole<K extends ListName>(
  read: (input: OperationInput<K>, call: Call) => Promise<readonly ItemOf<K>[]>,
): (input: OperationInput<K>, call: Call) => Promise<Page<ItemOf<K>>> {
  return async (input, call) => pageIn(await read(input, call), input)
}

/** What each operation does; the contract says its shape. */
export const RUN: { readonly [K in OperationName]: Run<K> } = {
  'planner.info': async (_, { info, context }) => {
    const advice = await clockAdvice(context.db, context.now())
    return { ...info, ...(advice !== undefined && { clock: advice }) }
  },

  'devices.list': listDevices,

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
  'invites.list': whole<'invites.list'>(listInvites),
  'invites.revoke': revokeInvite,
  'operators.add': addOperator,
  'operators.list': whole<'operators.list'>(listOperators),
  'operators.revoke': revokeOperator,

  'windows.set': setWindow,
  'windows.list': whole<'windows.list'>((_, { context }) => windowViews(context)),
  'windows.remove': removeWindow,

  'classes.list': whole<'classes.list'>((_, { context }) => classViews(context)),
  'classes.show': ({ class: id }, { context }) => classDetail(context, id),

  'models.add': addModel,

  async 'models.list'(input, { context }) {
    const { items, ...page } = pageIn(await models.listModels(context.db), input)
    return { ...page, items: await Promise.all(items.map((one) => modelView(context.db, one))) }
  },

  async 'models.show'({ model: name, revision }, { context }) {
    const model = await revisionNamed(context, name, revision)
    const view = await modelView(context.db, model)
    return { ...view, facts: model.facts, plans: await classPlans(context, model) }
  },

  'models.history': whole<'models.history'>(({ model }, { context }) => history(context, model)),

  'models.annotate': annotate,
  'models.prune': prune,
  'models.remove': removeModel,

  'runtimes.add': addPackage,
  'runtimes.list': whole<'runtimes.list'>((_, { context }) => listPackages(context)),
  'runtimes.remove': removePackage,

  'variants.list': whole<'variants.list'>(async ({ model: name }, { context }) => {
    const rows = []
    for (const model of await wanted(context, name)) {
      for (const { class: id, candidates } of await classPlans(context, model)) {
        const of = { model: model.name, revision: model.revision, class: id }
        rows.push(...candidates.map((row) => ({ ...of, ...row })))
      }
    }
    return rows
  }),

  async 'probes.list'({ model: name, device, ...paging }, { context }) {
    const all = await wanted(context, name)
    const found = (
      await Promise.all(all.map((model) => probesOf(context.db, model, device)))
    ).flat()
    const { items, ...page } = pageIn(found, paging)
    return { ...page, items: await probeViews(context.db, items) }
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
  'samples.list': listSamples,
  'samples.read': readSamples,
  'rollouts.list': listRollouts,
  'rollouts.show': showRollout,
  'rollouts.members': listMembers,

  'shipments.make': makeShipments,

  'broker.credentials': brokerCredentials,
  'keys.list': listKeys,
  'keys.pending': whole<'keys.pending'>(pendingBatches),
  'keys.batch': ({ batch }, { context }) => batchNamed(context, batch),
  'keys.submit': submitSignatures,
  'keys.drop': dropBatch,
  'keys.rotate': rotateKeys,
  'keys.forget': forgetKey,

  'webhooks.list': whole<'webhooks.list'>(listWebhooks),
  'webhooks.add': addWebhook,
  'webhooks.remove': removeWebhook,
  'webhooks.dead': listDead,
  'webhooks.retry': retryDelivery,

  'audit.list': listAudit,
}

async function wanted(
  context: ConductorContext,
  name: string | undefined,
): Promise<readonly Model[]> {
  return name === undefined ? models.listModels(context.db) : [await modelNamed(context, name)]
}
