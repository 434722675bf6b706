import { newId } from '../../../shared/ids.ts'
import type { Window } from '../../../shared/windows/index.ts'
import { profileOf } from '../../classes/index.ts'
import { settingOf } from '../../probing/index.ts'
import {
  type Device,
  directions,
  leaving,
  memberships,
  orders,
  type Probe,
  probePolicyOf,
  probes as probeRows,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type Variant,
} from '../../storage/index.ts'
import type { ReleasedVariant } from '../../trust/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { threadsFor } from '../devices/class-facts.ts'
import { engineOffering } from '../devices/targets-offered.ts'
import { hoursOf } from './hours.ts'
import { subjectsOf } from './meant.ts'

/** After so many tries a device that keeps losing what it was given is given up. */
export const MOST_ATTEMPTS = 5

const DAY_MS = 24 * 60 * 60 * 1000

/** A weekly window that a change of the clock skips. */
const LONGEST_WAIT_DAYS = 15

export interface NewAssignment {
  readonly device: Device
  readonly variant: Variant
  /** What becomes of the device's place in the rollout. */
  readonly member: Pick<RolloutDevice, 'wave' | 'state' | 'attempt' | 'previous'>
}

export interface AssignmentInput extends NewAssignment {
  readonly rollout: Rollout
}

/** One device. False where nothing was given. */
export async function assign(
  context: ConductorContext,
  { rollout, ...assignment }: AssignmentInput,
): Promise<boolean> {
  return (await assignAll(context, rollout, [assignment])).length === 1
}

/**
 * Directs these devices to their variants and puts the orders into their outboxes, in place of what they were told before:
 * one commit for all. Answers which: none where somebody moved the rollout meanwhile, and not those whose variant was not
 * released with it (nothing is ordered that no device would believe).
 */
export async function assignAll(
  context: ConductorContext,
  rollout: Rollout,
  all: readonly NewAssignment[],
): Promise<readonly string[]> {
  const { settings, now } = context
  const { modelName: model, class: classId } = rollout
  const given = await releasedFor(context, rollout, all)
  if (given.length === 0) return []
  const at = now()
  const ids = given.map(({ device }) => device.id)
  const hours = await hoursGiven(context, rollout, given)
  const measured = await measurementsOf(context, rollout, given)
  const isHeld = [...hours.values()].some((windows) => windows.length > 0)
  const days = settings.assignmentDays + (isHeld ? LONGEST_WAIT_DAYS : 0)
  const expiresAt = new Date(at.getTime() + days * DAY_MS)
  const isGiven = await commit(context, 'assignment.given', async (trx) => {
    const present = await rollouts.findRollout(trx, rollout.id)
    // Somebody stopped it while these orders were being made.
    if (present?.state !== rollout.state) return false
    await memberships.countOn(trx, ids, model, at)
    await leaving.takeOver(trx, rollout.id, ids, model)
    await memberships.putDirections(
      trx,
      model,
      classId,
      given.map(({ device, target, variant }) => {
        const engine = engineOn(context, device, variant, measured.get(variant.key) ?? [])
        return { device: device.id, variant: target.digest, engine }
      }),
    )
    // One assignment of a model is open per device: an older one must not arrive after a newer.
    await memberships.closeAssignments(trx, ids, model)
    await orders.addOrders(
      trx,
      given.map(({ device, order, target }) => ({
        device: device.id,
        order: {
          ...({ v: 1, id: order, kind: 'assign', model, variant: target.digest } as const),
          ...windowsFor(hours.get(device.id)),
        },
        artifacts: filesOf(target),
      })),
      at,
      expiresAt,
    )
    await memberships.putMembers(
      trx,
      given.map(({ device, variant, order, member }) => ({
        rollout: rollout.id,
        device: device.id,
        variant: variant.key,
        orderId: order,
        ...member,
      })),
      at,
    )
    return true
  })
  if (!isGiven) return []
  context.agenda.rollout(rollout.id)
  for (const id of ids) context.nudge(id)
  return ids
}

/** Those whose variant every device of the class would believe now, each with the id of its order. */
async function releasedFor(
  { db, trust }: ConductorContext,
  rollout: Rollout,
  all: readonly NewAssignment[],
) {
  const released = await trust.image.variants(rollout.modelName)
  const counter = await directions.releaseCounterOf(db, rollout.id)
  const targets = new Map(
    released
      .filter(
        // Devices that have this rollout's release do not go back behind it.
        ({ classes, releaseCounter }) =>
          classes.includes(rollout.class) && releaseCounter >= counter,
      )
      .map((target) => [target.digest, target]),
  )
  return all.flatMap((assignment) => {
    const target = targets.get(assignment.variant.digest ?? '')
    return target ? [{ ...assignment, target, order: newId() }] : []
  })
}

/** With the threads, and on the cores, that it was measured to be best with; else as its profile says. */
function engineOn(
  { profiles }: ConductorContext,
  device: Device,
  { key, runtime }: Variant,
  probes: readonly Probe[],
) {
  const profile = profileOf(profiles, device.class)
  const offered = engineOffering(device.runtimes, runtime, profile)
  if (!offered) return null
  const found = settingOf(probes, key, device.id)
  const most = found && Math.min(found.threads, device.report.cpu.cores)
  return {
    ...offered,
    threads: most ?? threadsFor(device, profile),
    ...(found?.cores && { cores: [...found.cores] }),
  }
}

/** What was measured of the variants that are given. */
async function measurementsOf(
  { db }: ConductorContext,
  { model, class: classId }: Rollout,
  given: readonly NewAssignment[],
): Promise<ReadonlyMap<string, readonly Probe[]>> {
  const { threads } = await probePolicyOf(db, model)
  if (threads !== 'auto') return new Map()
  const all = await probeRows.probesOf(db, model, { class: classId })
  const keys = new Set(given.map(({ variant }) => variant.key))
  return new Map([...keys].map((key) => [key, all.filter((one) => one.variant === key)]))
}

/** When these devices may switch, by those that keep windows themselves. */
async function hoursGiven(
  { db }: ConductorContext,
  { options }: Rollout,
  given: readonly NewAssignment[],
): Promise<ReadonlyMap<string, readonly Window[]>> {
  if (options.atOnce === true) return new Map()
  const waiting = given.filter(({ member }) => member.state !== 'reverting')
  const devices = waiting.map(({ device }) => device)
  const hours = await hoursOf(db, () => subjectsOf(db, devices))
  return new Map([...hours].map(([id, { windows, zone }]) => [id, zone === null ? [] : windows]))
}

function windowsFor(windows: readonly Window[] = []) {
  return windows.length > 0 ? { windows: [...windows] } : {}
}

function filesOf({ digest, blockList, selfTest, labels, sketch }: ReleasedVariant): string[] {
  const refs = [
    { digest, blockList },
    ...(selfTest ? [selfTest] : []),
    ...(labels ? [labels] : []),
    ...(sketch ? [sketch] : []),
  ]
  return refs.flatMap((ref) => [ref.digest, ref.blockList])
}

/** Digest of what the device runs for this model now, by its own word. */
export function activeVariant({ slots }: Pick<Device, 'slots'>, modelName: string): string | null {
  return slots.find(({ model, active }) => active && model === modelName)?.variant ?? null
}
