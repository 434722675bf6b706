import { SerialQueue } from '../../../shared/serial-queue.ts'
import {
  applyRolloutEvent,
  type ConductorContext,
  type Drive,
  drive,
  isSettlingIn,
  retryFailed,
} from '../../conductor/index.ts'
import { requireMatches } from '../../groups/index.ts'
import {
  DEFAULT_GATE,
  isPossible,
  parseWaves,
  type RolloutEvent,
  type RolloutOptions,
  selectorsOf,
  standingOf,
} from '../../rollout/index.ts'
import {
  audit,
  type Intent,
  type Model,
  models,
  type Rollout,
  revisions,
  rollouts,
  subjectsInService,
  windows,
} from '../../storage/index.ts'
import { type Call, drivenModel } from '../call/call.ts'
import { waitUntil } from '../call/wait.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { RolloutStatus } from '../contract/views.ts'
import { isSettled } from '../models/plan.ts'
import {
  anotherUnderWay,
  keptRevision,
  refuseWhileAnother,
  revisionBefore,
} from '../models/revisions.ts'
import { rolloutStatus } from './read-rollouts.ts'

/** From here on every class gets what is selected for it, those that appear later too. */
export async function startRollouts(
  input: OperationInput<'rollout.start'>,
  call: Call,
): Promise<OperationOutput<'rollout.start'>> {
  const { context } = call
  const { model: name, revision, wait, acceptNoise = false, health = null, ...rest } = input
  const { after = false, ...others } = rest
  // Who asks that a wave be watched asks that it be taken back.
  const options = { ...others, health: health ?? null, revert: rest.revert || health != null }
  const model = await keptRevision(context, name, revision)
  await requireAnybody(context, options)
  const wish = { options, acceptNoise, action: 'rollout.start', actor: call.actor } as const
  await oneAtATime(name, async () => {
    if (after && (await anotherUnderWay(context, model))) return await queue(call, model, wish)
    await refuseWhileAnother(context, model)
    await drive(context, model, wish)
  })
  return await whatFollows(call, model, wait)
}

/** Begins once what is under way has ended well. */
async function queue({ context, actor }: Call, model: Model, wish: Drive): Promise<void> {
  const { options, acceptNoise } = wish
  await context.db.transaction().execute(async (trx) => {
    const row = { name: model.name, model: model.id, options, acceptNoise, by: actor }
    await revisions.queueRollout(trx, row, context.now())
    const detail = { revision: model.revision, ...options, acceptNoise }
    const entry = { actor, action: 'rollout.queued', subject: model.name, detail }
    await audit.writeAudit(trx, entry, context.now())
  })
}

const turns = new Map<string, SerialQueue>()

/** Two operators who ask for two revisions at one moment are answered one after the other: what the later said holds. */
function oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
  const turn = turns.get(name) ?? new SerialQueue()
  turns.set(name, turn)
  return turn.run(work)
}

/** A selector that nobody meets is a slip of the pen. @throws SelectorError */
async function requireAnybody({ db }: ConductorContext, options: RolloutOptions): Promise<void> {
  const selectors = selectorsOf(options)
  if (selectors.length === 0) return
  const subjects = await subjectsInService(db)
  const meant = requireMatches(options.where ?? [], subjects)
  for (const { where } of options.waves.flatMap((w) => ('where' in w ? [w] : []))) {
    requireMatches(where, meant)
  }
}

/** The same devices know the revision already: all of them get it back at once. */
const AT_ONCE: RolloutOptions = {
  waves: [...parseWaves('100%')],
  gate: DEFAULT_GATE,
  approval: false,
  revert: false,
  health: null,
  // What is taken back waits for no window.
  atOnce: true,
}

/** Back to what was built and measured, whatever is under way. */
export async function rollBack(
  { model: name, to, wait }: OperationInput<'rollback'>,
  call: Call,
): Promise<OperationOutput<'rollback'>> {
  const { context } = call
  const wish = {
    options: AT_ONCE,
    acceptNoise: false,
    action: 'rollback',
    actor: call.actor,
  } as const
  const model = await oneAtATime(name, async () => {
    const back =
      to === undefined ? await revisionBefore(context, name) : await keptRevision(context, name, to)
    await drive(context, back, wish)
    return back
  })
  return await whatFollows(call, model, wait)
}

async function whatFollows(call: Call, model: Model, wait: boolean): Promise<RolloutStatus> {
  const { context, conductor } = call
  conductor.poke()
  if (wait)
    await waitUntil(call, model.name, async () => {
      const status = await rolloutStatus(context, model)
      return status.next === null && isOver(status, isSettlingIn(context))
    })
  return rolloutStatus(context, model)
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
  input: {
    readonly model: string
    readonly class?: string | undefined
    readonly until?: string | undefined
  },
  call: Call,
): Promise<RolloutStatus> {
  const { context, conductor, actor } = call
  const model = await drivenModel(context, input.model)
  const open = await openRolloutsOf(call, input)
  const applicable = open.length === 1 ? open : open.filter(({ state }) => isPossible(state, event))
  if (applicable.length === 0) throw nothingFor(event, input.model, open)
  const until = input.until === undefined ? null : new Date(input.until)
  if (until && until <= context.now()) {
    throw new ApiError('nothing-to-do', `${input.until} is over: name a time to come`)
  }
  for (const rollout of applicable) {
    const reason = until ? `until ${until.toISOString()}` : ''
    await applyRolloutEvent(context, rollout, event, reason, actor)
    if (event === 'pause') await windows.pauseUntil(context.db, rollout.id, until)
  }
  const intent = INTENT_AFTER[event]
  if (event === 'abort') await revisions.unqueueRollout(context.db, input.model)
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
