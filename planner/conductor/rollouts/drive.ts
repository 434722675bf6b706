import { printSelector, type Selector } from '../../groups/index.ts'
import type { RolloutOptions } from '../../rollout/index.ts'
import {
  audit,
  type Model,
  models,
  revisions,
  rollouts,
  selections,
  setNoiseAccepted,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { classesMeant } from './meant.ts'
import { startRollout } from './rollout-events.ts'

/** What is wanted of a revision, and by whom. */
export interface Drive {
  readonly options: RolloutOptions
  /** Choose from measurements of busy devices too. */
  readonly acceptNoise: boolean
  readonly action: 'rollout.start' | 'rollback'
  readonly actor: string
}

/** From here on this revision is the one that is planned and rolled out; newer ones wait until they are asked for. */
export async function drive(context: ConductorContext, model: Model, wish: Drive): Promise<void> {
  const { options, acceptNoise, action, actor } = wish
  await commit(context, 'rollout.asked', async (trx) => {
    await models.holdNewer(trx, model)
    await models.setIntent(trx, model.id, 'rollout', options)
    if (acceptNoise) await setNoiseAccepted(trx, model.id, true, context.now())
    // What waited for the end of the one before waited for another course of things.
    const unqueued = await revisions.unqueueRollout(trx, model.name)
    const detail = {
      revision: model.revision,
      ...options,
      acceptNoise,
      ...(unqueued && { unqueued }),
    }
    await audit.writeAudit(trx, { actor, action, subject: model.name, detail }, context.now())
  })
  await startWhereChosen(context, model, options)
}

/**
 * Classes whose newest rollout was aborted, or is of another revision or for other devices: that the operator asks again
 * is the decision that waited for.
 */
async function startWhereChosen(
  context: ConductorContext,
  model: Model,
  options: RolloutOptions,
): Promise<void> {
  const { db } = context
  const meant = new Set(await classesMeant(db, options.where))
  for (const rollout of await rollouts.newestRollouts(db, model.name)) {
    if (!meant.has(rollout.class)) continue
    const chosen = await selections.currentSelection(db, model.id, rollout.class)
    if (!chosen || chosen.selection.winner === null) continue
    const isForOthers = whereOf(rollout.options) !== whereOf(options)
    if (rollout.state === 'aborted' || rollout.selection !== chosen.seq || isForOthers)
      await startRollout(context, model, chosen, options)
  }
}

function whereOf({ where }: { readonly where?: Selector | undefined }): string | undefined {
  return where && printSelector(where)
}
