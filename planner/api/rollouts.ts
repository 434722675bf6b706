import {
  applyRolloutEvent,
  commit,
  isSettlingIn,
  retryFailed,
  startRollout,
} from '../conductor/index.ts'
import { isPossible, type RolloutEvent, type RolloutOptions } from '../rollout/index.ts'
import {
  audit,
  type Intent,
  type Model,
  models,
  type Rollout,
  rollouts,
  selections,
  setNoiseAccepted,
} from '../storage/index.ts'
import { type Call, drivenModel, modelNamed } from './call.ts'
import type { OperationInput, OperationOutput } from './contract.ts'
import { ApiError } from './errors.ts'
import { isSettled } from './plan.ts'
import { rolloutStatus } from './read-rollouts.ts'
import type { RolloutStatus } from './views.ts'
import { waitUntil } from './wait.ts'

/** From here on every class gets what is selected for it, those that appear later too. */
export async function startRollouts(
  input: OperationInput<'rollout.start'>,
  call: Call,
): Promise<OperationOutput<'rollout.start'>> {
  const { context, conductor, actor } = call
  const model = await modelNamed(context, input.model)
  const { model: _, wait, acceptNoise = false, ...options } = input
  await commit(context, 'rollout.asked', async (trx) => {
    await models.setIntent(trx, model.id, 'rollout', options)
    if (acceptNoise) await setNoiseAccepted(trx, model.id, true, context.now())
    const detail = { ...options, acceptNoise }
    const entry = { actor, action: 'rollout.start', subject: model.name, detail }
    await audit.writeAudit(trx, entry, context.now())
  })
  await restartAborted(call, model, options)
  conductor.poke()
  if (wait)
    await waitUntil(call, model.name, async () =>
      isOver(await rolloutStatus(context, model), isSettlingIn(context)),
    )
  return rolloutStatus(context, model)
}

/** The operator asks again for what was aborted: that is the decision it waited for. */
async function restartAborted(
  { context }: Call,
  model: Model,
  options: RolloutOptions,
): Promise<void> {
  const newest = new Map(
    [...(await rollouts.rolloutsOf(context.db, model.name))].reverse().map((r) => [r.class, r]),
  )
  for (const rollout of newest.values()) {
    const chosen = await selections.currentSelection(context.db, model.id, rollout.class)
    const isCurrent = chosen?.seq === rollout.selection && chosen.selection.winner !== null
    if (rollout.state === 'aborted' && isCurrent)
      await startRollout(context, model, chosen, options)
  }
}

/** Nothing more happens by itself: every class is served, stopped, offline, or has nothing that may ship. */
function isOver({ rollouts: all, pending }: RolloutStatus, settlingIn: boolean): boolean {
  if (all.length + pending.length === 0) return false
  const moving = all.filter(
    ({ state, devices, outside }) =>
      state === 'running' &&
      (settlingIn || outside.online > 0 || devices.some(({ online }) => online)),
  )
  const planning = pending.filter((row) => row.stage === 'selected' || !isSettled(row))
  return moving.length === 0 && planning.length === 0
}

const INTENT_AFTER: Partial<Record<RolloutEvent, Intent>> = {
  pause: 'held',
  resume: 'rollout',
  abort: 'plan',
}

/** An operator's command to every open rollout of the model, or to that of one class. @throws RolloutError */
export async function changeRollout(
  event: Extract<RolloutEvent, 'pause' | 'resume' | 'abort' | 'approve'>,
  input: { readonly model: string; readonly class?: string | undefined },
  call: Call,
): Promise<RolloutStatus> {
  const { context, conductor, actor } = call
  const model = await drivenModel(context, input.model)
  const open = await openRolloutsOf(call, input)
  const applicable = open.length === 1 ? open : open.filter(({ state }) => isPossible(state, event))
  if (applicable.length === 0) throw nothingFor(event, input.model, open)
  for (const rollout of applicable) await applyRolloutEvent(context, rollout, event, '', actor)
  const intent = INTENT_AFTER[event]
  if (intent && input.class === undefined) await models.setIntent(context.db, model.id, intent)
  conductor.poke()
  return rolloutStatus(context, model)
}

export async function resumeRollout(
  { retry, ...input }: OperationInput<'rollout.resume'>,
  call: Call,
): Promise<RolloutStatus> {
  const paused = (await openRolloutsOf(call, input)).filter(({ state }) => state === 'paused')
  const status = await changeRollout('resume', input, call)
  if (!retry) return status
  for (const { id } of paused) {
    const rollout = await rollouts.findRollout(call.context.db, id)
    if (rollout) await retryFailed(call.context, rollout)
  }
  return rolloutStatus(call.context, await drivenModel(call.context, input.model))
}

async function openRolloutsOf(
  { context }: Call,
  { model, class: only }: { readonly model: string; readonly class?: string | undefined },
): Promise<readonly Rollout[]> {
  const open = await rollouts.openRollouts(context.db)
  return open.filter(
    (rollout) => rollout.modelName === model && (only === undefined || rollout.class === only),
  )
}

function nothingFor(event: RolloutEvent, model: string, open: readonly Rollout[]): ApiError {
  const states = open.map((rollout) => `${rollout.class} is ${rollout.state}`).join(', ')
  const there = states || `no rollout is open; start one with fitment rollout start ${model}`
  return new ApiError('nothing-to-do', `nothing of ${model} to ${event}: ${there}`)
}
