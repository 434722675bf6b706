import { newId } from '../../../shared/ids.ts'
import { profileOf } from '../../classes/index.ts'
import {
  type Device,
  directions,
  leaving,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type Variant,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { threadsFor } from '../devices/class-facts.ts'
import { engineOffering } from '../devices/targets-offered.ts'
import { hoursOf } from './hours.ts'

/** After so many tries a device that keeps losing what it was given is given up. */
export const MOST_ATTEMPTS = 5

const DAY_MS = 24 * 60 * 60 * 1000

/** A weekly window that a change of the clock skips. */
const LONGEST_WAIT_DAYS = 15

export interface AssignmentInput {
  readonly rollout: Rollout
  readonly device: Device
  readonly variant: Variant
  /** What becomes of the device's place in the rollout. */
  readonly member: Pick<RolloutDevice, 'wave' | 'state' | 'attempt' | 'previous'>
}

/**
 * Directs the device to this variant and puts the order into its outbox, in place of what it was told
 * before. False where the variant was not released with the rollout (nothing is ordered that no device would
 * believe), or somebody moved the rollout meanwhile.
 */
export async function assign(context: ConductorContext, input: AssignmentInput): Promise<boolean> {
  const { rollout, device, variant, member } = input
  const { db, now, settings, trust } = context
  const released = await trust.image.variants(rollout.modelName)
  const target = released.find(({ digest }) => digest === variant.digest)
  if (!target?.classes.includes(rollout.class)) return false
  // Devices that have this rollout's release do not go back behind it.
  if (target.releaseCounter < (await directions.releaseCounterOf(db, rollout.id))) return false
  const profile = profileOf(context.profiles, device.class)
  const offered = engineOffering(device.runtimes, variant.runtime, profile)
  const engine = offered ? { ...offered, threads: threadsFor(device, profile) } : null
  const at = now()
  const isAtOnce = rollout.options.atOnce === true || member.state === 'reverting'
  const hours = isAtOnce ? undefined : (await hoursOf(db, [device])).get(device.id)
  const windows = hours?.zone == null ? [] : hours.windows
  const days = settings.assignmentDays + (windows.length > 0 ? LONGEST_WAIT_DAYS : 0)
  const expiresAt = new Date(at.getTime() + days * DAY_MS)
  const id = newId()
  const { modelName: model, class: classId } = rollout
  const isGiven = await commit(context, 'assignment.given', async (trx) => {
    const present = await rollouts.findRollout(trx, rollout.id)
    // Somebody stopped it while this order was being made.
    if (present?.state !== rollout.state) return false
    await rollouts.nextCounter(trx, device.id, model, at)
    await directions.putDirection(trx, device.id, {
      model,
      variant: target.digest,
      class: classId,
      engine,
    })
    // One assignment of a model is open per device: an older one must not arrive after a newer.
    await rollouts.closeAssignments(trx, device.id, model)
    await leaving.takeOver(trx, rollout.id, device.id, model)
    const { digest, blockList, selfTest, labels } = target
    const refs = [
      { digest, blockList },
      ...(selfTest ? [selfTest] : []),
      ...(labels ? [labels] : []),
    ]
    const files = refs.flatMap((ref) => [ref.digest, ref.blockList])
    const order = {
      ...({ v: 1, id, kind: 'assign', model, variant: digest } as const),
      ...(windows.length > 0 && { windows: [...windows] }),
    }
    await orders.addOrder(trx, device.id, order, files, at, expiresAt)
    await rollouts.putMember(
      trx,
      { rollout: rollout.id, device: device.id, variant: variant.key, orderId: id, ...member },
      at,
    )
    return true
  })
  if (isGiven) context.nudge(device.id)
  return isGiven
}

/** Digest of what the device runs for this model now, by its own word. */
export function activeVariant(device: Device, modelName: string): string | null {
  return device.slots.find(({ model, active }) => active && model === modelName)?.variant ?? null
}
