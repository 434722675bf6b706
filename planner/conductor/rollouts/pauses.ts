import { models, rollouts, windows } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { applyRolloutEvent } from './rollout-events.ts'

/** Goes on with rollouts that were paused until now. */
export async function endPauses(context: ConductorContext): Promise<void> {
  const { db } = context
  for (const [id, until] of await windows.pauses(db)) {
    if (Date.parse(until) > context.now().getTime()) continue
    const rollout = await rollouts.findRollout(db, id)
    if (rollout?.state !== 'paused') {
      await windows.pauseUntil(db, id, null)
      continue
    }
    await applyRolloutEvent(context, rollout, 'resume', `paused until ${until}`, 'planner')
    const model = await models.modelById(db, rollout.model)
    if (model?.intent === 'held') await models.setIntent(db, model.id, 'rollout')
  }
}
