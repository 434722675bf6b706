import { newId } from '../../shared/ids.ts'
import type { Assignment } from '../../shared/messages/orders.ts'
import { signPayload } from '../../shared/signatures/index.ts'
import {
  type Device,
  type Model,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type Variant,
  variants,
} from '../storage/index.ts'
import type { Engine } from './engine.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export interface AssignmentInput {
  readonly rollout: Rollout
  readonly model: Model
  readonly device: Device
  readonly variant: Variant
  /** What becomes of the device's place in the rollout. */
  readonly member: Pick<RolloutDevice, 'wave' | 'state' | 'attempt' | 'previous'>
}

/** Signs what the device shall run and puts it into its outbox, in place of what it was told before. */
export async function assign(engine: Engine, input: AssignmentInput): Promise<void> {
  const { rollout, device, variant, member } = input
  const { artifacts, db, now, settings, signingKey } = engine
  if (!variant.digest) return
  const artifact = await artifacts.refOf(variant.digest)
  const selfTest = await selfTestFor(engine, input)
  const at = now()
  const expiresAt = new Date(at.getTime() + settings.assignmentDays * DAY_MS)
  const id = newId()
  await db.transaction().execute(async (trx) => {
    const assignment: Assignment = {
      device: device.id,
      model: rollout.modelName,
      variant: variant.digest ?? '',
      artifact,
      runtime: variant.runtime,
      scheme: variant.scheme,
      class: rollout.class,
      counter: await rollouts.nextCounter(trx, device.id, rollout.modelName, at),
      selfTest,
      issuedAt: at.toISOString(),
      expiresAt: expiresAt.toISOString(),
    }
    // One assignment of a model is open per device: an older one must not arrive after a newer.
    await rollouts.closeAssignments(trx, device.id, rollout.modelName)
    const signed = signPayload(JSON.stringify(assignment), signingKey)
    const files = [artifact, ...(selfTest ? [selfTest] : [])]
    await orders.addOrder(
      trx,
      device.id,
      { v: 1, id, kind: 'assign', assignment: signed },
      files.flatMap(({ digest, blockList }) => [digest, blockList]),
      at,
      expiresAt,
    )
    await rollouts.putMember(
      trx,
      { rollout: rollout.id, device: device.id, variant: variant.key, orderId: id, ...member },
      at,
    )
  })
  engine.nudge(device.id)
}

async function selfTestFor(engine: Engine, { model, variant }: AssignmentInput) {
  const evaluation = await variants.findEvaluation(engine.db, variant.key, model.reference.whole)
  return evaluation ? engine.artifacts.refOf(evaluation.selfTest) : null
}

/** Digest of what the device runs for this model now, by its own word. */
export function activeVariant(device: Device, modelName: string): string | null {
  return device.slots.find(({ model, active }) => active && model === modelName)?.variant ?? null
}
