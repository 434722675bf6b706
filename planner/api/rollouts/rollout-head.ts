import { printSelector } from '../../groups/index.ts'
import { printWaves } from '../../rollout/index.ts'
import {
  type Db,
  models,
  type Rollout,
  type StoredSelection,
  variants,
} from '../../storage/index.ts'
import type { RolloutHead } from '../contract/rollout-views.ts'

/** @param selection that it rolls out */
export async function headOf(
  db: Db,
  rollout: Rollout,
  selection: StoredSelection | undefined,
): Promise<RolloutHead> {
  const model = await models.modelById(db, rollout.model)
  const winner = selection?.selection.winner
  const variant = winner ? await variants.findVariant(db, winner) : undefined
  const { where, waves } = rollout.options
  return {
    id: rollout.id,
    model: rollout.modelName,
    revision: model?.revision ?? 0,
    class: rollout.class,
    state: rollout.state,
    wave: rollout.wave + 1,
    waves: printWaves(waves),
    where: where ? printSelector(where) : null,
    scheme: variant?.scheme ?? '?',
    runtime: variant?.runtime ?? 'litert',
    bytes: variant?.bytes ?? 0,
    reason: rollout.reason,
    why: selection?.selection.why ?? '',
    createdAt: rollout.createdAt,
    updatedAt: rollout.updatedAt,
  }
}
