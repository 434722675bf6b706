import { nextState, type RolloutEvent, type RolloutOptions, standingOf } from '../rollout/index.ts'
import {
  audit,
  devices as deviceRows,
  type Model,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type StoredSelection,
  variants,
} from '../storage/index.ts'
import { assign } from './assignments.ts'
import type { Engine } from './engine.ts'

const FAILURES = ['rolled-back', 'refused', 'failed'] as const

/** Moves a rollout through its table and does what the new state asks. @throws RolloutError */
export async function applyRolloutEvent(
  engine: Engine,
  rollout: Rollout,
  event: RolloutEvent,
  reason: string,
  actor: string,
): Promise<void> {
  const what = `${rollout.modelName} to ${rollout.class}`
  const state = nextState(rollout.state, event, what)
  const wave = rollout.wave + (event === 'wave-passed' || event === 'approve' ? 1 : 0)
  await engine.db.transaction().execute(async (trx) => {
    await rollouts.moveRollout(trx, rollout.id, { state, wave, reason }, engine.now())
    if (event === 'resume') await rollouts.forgive(trx, rollout.id, FAILURES)
    const detail = { class: rollout.class, from: rollout.state, to: state, wave: wave + 1, reason }
    const entry = { actor, action: `rollout.${event}`, subject: rollout.modelName, detail }
    await audit.writeAudit(trx, entry, engine.now())
  })
  engine.progress.emit({
    model: rollout.modelName,
    what: `${rollout.class}: rollout ${state}${reason ? `: ${reason}` : ''}`,
    done: 0,
    total: 0,
  })
  if (state === 'aborted') await withdraw(engine, rollout)
}

/** Starts the rollout of a class's selection, in place of one that an older selection had. */
export async function startRollout(
  engine: Engine,
  model: Model,
  selection: StoredSelection,
  options: RolloutOptions,
): Promise<void> {
  const open = (await rollouts.openRollouts(engine.db)).filter(
    ({ modelName, class: id }) => modelName === model.name && id === selection.class,
  )
  for (const older of open) {
    const reason = `a newer selection takes its place`
    await applyRolloutEvent(engine, older, 'supersede', reason, 'planner')
  }
  await rollouts.addRollout(
    engine.db,
    {
      model: model.id,
      modelName: model.name,
      class: selection.class,
      selection: selection.seq,
      state: 'running',
      options,
      reason: selection.selection.why,
    },
    engine.now(),
  )
}

/** Nothing more is sent; where the operator asked for it, devices get back what they ran before. */
async function withdraw(engine: Engine, rollout: Rollout): Promise<void> {
  for (const member of await rollouts.membersOf(engine.db, rollout.id)) {
    const standing = standingOf(member.state)
    if (standing !== 'under-way' && standing !== 'active') continue
    const isReverting = rollout.options.revert && (await revert(engine, rollout, member))
    if (!isReverting && standing === 'under-way') await release(engine, member)
  }
}

/** False where nothing is known to go back to, or nothing that was released. */
async function revert(engine: Engine, rollout: Rollout, member: RolloutDevice): Promise<boolean> {
  if (member.previous === null) return false
  const variant = await variants.variantByDigest(engine.db, member.previous)
  const device = await deviceRows.findDevice(engine.db, member.device)
  if (!variant || !device) return false
  const place = { wave: member.wave, state: 'reverting', attempt: 1, previous: null } as const
  return assign(engine, { rollout, device, variant, member: place })
}

async function release(engine: Engine, member: RolloutDevice): Promise<void> {
  if (member.orderId) await orders.closeOrder(engine.db, member.orderId)
  const to = { state: 'released', error: 'the rollout was aborted' } as const
  await rollouts.setMemberState(engine.db, member, to, engine.now())
}

/** Failed devices get another chance. */
export async function retryFailed(engine: Engine, rollout: Rollout): Promise<void> {
  for (const member of await rollouts.membersOf(engine.db, rollout.id)) {
    const device = await deviceRows.findDevice(engine.db, member.device)
    const variant = member.variant
      ? await variants.findVariant(engine.db, member.variant)
      : undefined
    if (standingOf(member.state) !== 'failed' || !device || !variant) continue
    const { wave, previous, attempt } = member
    const place = { wave, previous, state: 'ordered', attempt: attempt + 1 } as const
    await assign(engine, { rollout, device, variant, member: place })
  }
}
