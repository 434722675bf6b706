import type { ShippedVariant } from '../../../shared/trust/index.ts'
import { directions, models, rollouts, selections, variants } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'

/** What of a model may go to devices of a class by another way, or why nothing may. */
export interface Shippable {
  readonly class: string
  readonly model: string
  /** `why` it may not, else what. */
  readonly shipped: ShippedVariant | { readonly why: string }
}

type Asked = Pick<ConductorContext, 'db' | 'trust'>

/**
 * Of each model and class the variant whose rollout here came to its end: chosen by measurement, signed by the release
 * keys, and seen to work on devices of that class.
 */
export async function shippable(context: Asked): Promise<readonly Shippable[]> {
  const names = new Set((await models.listModels(context.db)).map(({ name }) => name))
  const all: Shippable[] = []
  for (const model of names) {
    for (const rollout of await rollouts.newestRollouts(context.db, model)) {
      all.push({ class: rollout.class, model, shipped: await shippedBy(context, model, rollout) })
    }
  }
  return all
}

async function shippedBy(
  { db, trust }: Asked,
  model: string,
  rollout: rollouts.Rollout,
): Promise<Shippable['shipped']> {
  if (rollout.state !== 'done') {
    return { why: `its rollout is ${rollout.state}: only what went well here goes elsewhere` }
  }
  const selection = await selections.selectionBySeq(db, rollout.selection)
  const [winner] = selection?.selection.ranking ?? []
  const digest = winner === undefined ? undefined : (await variants.findVariant(db, winner))?.digest
  const released = (await trust.image.variants(model)).find(
    (one) => one.digest === digest && one.classes.includes(rollout.class),
  )
  if (released === undefined) return { why: 'its variant is not released: fitment keys pending' }
  const { classes: _classes, ...described } = released
  const given = { model, class: rollout.class, variant: released.digest }
  const engine = await directions.engineGiven(db, given)
  return { ...described, ...(engine && { engine }) }
}
