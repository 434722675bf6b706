import { applyRolloutEvent, isSettlingIn, retryFailed, startRollout } from '../conductor/index.ts'
import {
  DEFAULT_GATE,
  isPossible,
  parseWaves,
  type RolloutEvent,
  type RolloutOptions,
  standingOf,
} from '../rollout/index.ts'
import {
  audit,
  type Intent,
  type Model,
  models,
  type Rollout,
  rollouts,
  selections,
} from '../storage/index.ts'
import { type Call, drivenModel } from './call.ts'
import type { OperationInput, OperationOutput } from './contract.ts'
import { ApiError } from './errors.ts'
import { isSettled } from './plan.ts'
import { rolloutStatus } from './read-rollouts.ts'
import {
  type Asked,
  drive,
  refuseWhileAnother,
  revisionBefore,
  revisionNamed,
} from './revisions.ts'
import type { RolloutStatus } from './views.ts'
import { waitUntil } from './wait.ts'

/** From here on every class gets what is selected for it, those that appear later too. */
export async function startRollouts(
  input: OperationInput<'rollout.start'>,
  call: Call,
): Promise<OperationOutput<'rollout.start'>> {
  const { context } = call
  const { model: name, revision, wait, acceptNoise = false, ...options } = input
  const model = await revisionNamed(context, name, revision)
  await refuseWhileAnother(context, model)
  return await rollOut(call, model, {
    options,
    wait,
    acceptNoise,
    action: 'rollout.start',
  })
}

/** The same devices know the revision already: all of them get it back at once. */
const AT_ONCE: RolloutOptions = {
  waves: [...parseWaves('100%')],
  gate: DEFAULT_GATE,
  approval: false,
  revert: false,
}

/** Back to what was built and measured, whatever is under way. */
export async function rollBack(
  { model: name, to, wait }: OperationInput<'rollback'>,
  call: Call,
): Promise<OperationOutput<'rollback'>> {
  const { context } = call
  const model =
    to === undefined ? await revisionBefore(context, name) : await revisionNamed(context, name, to)
  return await rollOut(call, model, {
    options: AT_ONCE,
    wait,
    acceptNoise: false,
    action: 'rollback',
  })
}

async function rollOut(
  call: Call,
  model: Model,
  { options, wait, acceptNoise, action }: Asked,
): Promise<RolloutStatus> {
  const { context, conductor } = call
  await drive(call, model, { options, acceptNoise, action })
  await startWhereChosen(call, model, options)
  conductor.poke()
  if (wait)
    await waitUntil(call, model.name, async () =>
      isOver(await rolloutStatus(context, model), isSettlingIn(context)),
    )
  return rolloutStatus(context, model)
}

/**
 * Classes whose newest rollout was aborted, or is of another revision: that the operator asks again is the decision that
 * waited for.
 */
async function startWhereChosen(
  { context }: Call,
  model: Model,
  options: RolloutOptions,
): Promise<void> {
  for (const rollout of await rollouts.newestRollouts(context.db, model.name)) {
    const chosen = await selections.currentSelection(context.db, model.id, rollout.class)
    if (!chosen || chosen.selection.winner === null) continue
    if (rollout.state === 'aborted' || rollout.selection !== chosen.seq)
      await startRollout(context, model, chosen, options)
  }
}

/** Nothing more happens by itself: every class is served, stopped, offline, or has nothing that may ship. */
function isOver({ rollouts: all, pending }: RolloutStatus, settlingIn: boolean): boolean {
  // Nobody to wait for, unless they are on their way back to a planner that has just started.
  if (all.length + pending.length === 0) return !settlingIn
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
  const open = await openRolloutsOf(call, input)
  const isPaused = open.some(({ state }) => state === 'paused')
  const again = retry ? await withFailures(call, open) : []
  if (retry && open.length > 0 && !isPaused && again.length === 0) {
    throw new ApiError(
      'nothing-to-do',
      `no device failed to take ${input.model}: nothing to try again`,
    )
  }
  const status =
    isPaused || again.length === 0 ? await changeRollout('resume', input, call) : undefined
  if (status !== undefined && again.length === 0) return status
  for (const { id } of again) {
    const rollout = await rollouts.findRollout(call.context.db, id)
    if (rollout) await retryFailed(call.context, rollout)
  }
  if (status === undefined) await noteRetry(call, input.model, again)
  call.conductor.poke()
  return rolloutStatus(call.context, await drivenModel(call.context, input.model))
}

/** Also of rollouts that are done: a device that was repaired gets its variant. */
async function withFailures(
  { context }: Call,
  open: readonly Rollout[],
): Promise<readonly Rollout[]> {
  const failed = await Promise.all(
    open.map(async ({ id }) => {
      const members = await rollouts.membersOf(context.db, id)
      return members.some(({ state }) => standingOf(state) === 'failed')
    }),
  )
  return open.filter((_, index) => failed[index])
}

async function noteRetry(
  { context, actor }: Call,
  model: string,
  again: readonly Rollout[],
): Promise<void> {
  const classes = again.map((rollout) => rollout.class)
  const entry = { actor, action: 'rollout.retry', subject: model, detail: { classes } }
  await audit.writeAudit(context.db, entry, context.now())
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
