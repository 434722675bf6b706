import { printSelector } from '../../groups/index.ts'
import {
  nextState,
  type OwnRolloutEvent,
  type RolloutEvent,
  type RolloutOptions,
  type RolloutState,
  standingOf,
} from '../../rollout/index.ts'
import {
  audit,
  type Db,
  devices as deviceRows,
  type Model,
  type Rollout,
  rollouts,
  type StoredSelection,
  variants,
  windows,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { assign } from './assignments.ts'
import { withdraw } from './withdrawal.ts'

const PLANNER = 'planner'
const FAILURES = ['rolled-back', 'refused', 'failed'] as const

/**
 * Moves a rollout through its table, with all that the new state means for its devices; their orders follow.
 * @throws RolloutError
 */
export async function applyRolloutEvent(
  context: ConductorContext,
  rollout: Rollout,
  event: OwnRolloutEvent,
  reason: string,
  actor: string,
): Promise<void> {
  const state = await commit(context, `rollout.${event}`, (trx) =>
    move(trx, rollout, { event, reason, actor, at: context.now() }),
  )
  noteMoved(context, rollout, state)
  context.progress.emit({
    model: rollout.modelName,
    what: `${rollout.class}: rollout ${state}${reason ? `: ${reason}` : ''}`,
    done: 0,
    total: 0,
  })
}

/** What a rollout in another state means for the rest. */
function noteMoved({ agenda }: ConductorContext, rollout: Rollout, state: RolloutState): void {
  agenda.rollout(rollout.id)
  agenda.pipeline(rollout)
  agenda.releases()
  if (state === 'aborted') agenda.returns()
}

interface Move {
  readonly event: RolloutEvent
  readonly reason: string
  readonly actor: string
  readonly at: Date
}

/** Answers the new state, or the present one where an operator was faster than the planner. */
async function move(
  trx: Db,
  seen: Rollout,
  { event, reason, actor, at }: Move,
): Promise<RolloutState> {
  const rollout = (await rollouts.findRollout(trx, seen.id)) ?? seen
  if (actor === PLANNER && rollout.state !== seen.state) return rollout.state
  const what = `${rollout.modelName} to ${rollout.class}`
  const state = nextState(rollout.state, event, what)
  const wave = rollout.wave + (event === 'wave-passed' || event === 'approve' ? 1 : 0)
  await rollouts.moveRollout(trx, rollout.id, { state, wave, reason }, at)
  // A pause of a gate's has a reason, an operator's none: who resumes past what a watch did not show goes on without.
  const isPastWatch = rollout.options.health !== null && rollout.reason !== ''
  const past = isPastWatch ? ([...FAILURES, 'active'] as const) : FAILURES
  if (event !== 'pause') await windows.pauseUntil(trx, rollout.id, null)
  // A pause that is over by the clock is no word on failures.
  if (event === 'resume' && actor !== PLANNER) await rollouts.forgive(trx, rollout.id, past)
  if (state === 'aborted') await withdraw(trx, rollout, at)
  const detail = { class: rollout.class, from: rollout.state, to: state, wave: wave + 1, reason }
  const entry = { actor, action: `rollout.${event}`, subject: rollout.modelName, detail }
  await audit.writeAudit(trx, entry, at)
  return state
}

/** Starts the rollout of a class's selection, in place of one that an older selection had. */
export async function startRollout(
  context: ConductorContext,
  model: Model,
  selection: StoredSelection,
  options: RolloutOptions,
): Promise<void> {
  const at = context.now()
  const reason = 'a newer selection takes its place'
  await commit(context, 'rollout.started', async (trx) => {
    const open = (await rollouts.openRollouts(trx)).filter(
      (older) =>
        older.modelName === model.name &&
        older.class === selection.class &&
        takesPlaceOf(options, older.options),
    )
    for (const older of open) {
      await move(trx, older, { event: 'supersede', reason, actor: PLANNER, at })
    }
    const added = {
      model: model.id,
      modelName: model.name,
      class: selection.class,
      selection: selection.seq,
      state: 'running',
      options,
      reason: selection.selection.why,
    } as const
    const { id } = await rollouts.addRollout(trx, added, at)
    context.agenda.rollout(id)
  })
  context.agenda.pipeline({ model: model.id, class: selection.class })
  context.agenda.releases()
}

/** What is for part of a class leaves the rest to what serves it now. */
function takesPlaceOf({ where }: RolloutOptions, older: RolloutOptions): boolean {
  if (where === undefined) return true
  return older.where !== undefined && printSelector(where) === printSelector(older.where)
}

/** Failed devices get another chance, and with them the mates that gave it back for them. */
export async function retryFailed(context: ConductorContext, rollout: Rollout): Promise<void> {
  for (const member of await rollouts.membersOf(context.db, rollout.id)) {
    const device = await deviceRows.findDevice(context.db, member.device)
    const variant = member.variant
      ? await variants.findVariant(context.db, member.variant)
      : undefined
    const wasSpoilt = rollout.options.atomicBy !== undefined && member.state === 'reverted'
    if ((standingOf(member.state) !== 'failed' && !wasSpoilt) || !device || !variant) continue
    const { wave, previous, attempt } = member
    const place = { wave, previous, state: 'ordered', attempt: attempt + 1 } as const
    await assign(context, { rollout, device, variant, member: place })
  }
}
