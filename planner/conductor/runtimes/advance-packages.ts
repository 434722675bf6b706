import { newId } from '../../../shared/ids.ts'
import { fitsLibc } from '../../../shared/runtime-package/index.ts'
import {
  type Device,
  devices as deviceRows,
  memberships,
  orders,
  type RuntimeOffer,
  type RuntimePackage,
  runtimePackages,
} from '../../storage/index.ts'
import type { ReleasedPackage } from '../../trust/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { activeVariant, MOST_ATTEMPTS } from '../rollouts/assignments.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Gives every device that takes libraries, and is here, the newest package of each runtime for its machine, unless it
 * has it. What is not released yet waits. `only`: these devices; absent: all of them.
 */
export async function advancePackages(
  context: ConductorContext,
  only?: readonly string[],
): Promise<void> {
  const { db } = context
  const newest = runtimePackages.newestOf(await runtimePackages.listPackages(db))
  if (newest.length === 0) return
  const takers = await runtimePackages.takers(db)
  for (const id of only?.filter((device) => takers.has(device)) ?? takers) {
    const device = await deviceRows.findDevice(db, id)
    if (!device?.online) continue
    for (const wanted of newest.filter((each) => suits(each, device))) {
      await advance(context, device, wanted)
    }
  }
}

/** The device opens it before it relies on it; what surely fails need not travel. */
export function suits(
  { manifest }: Pick<RuntimePackage, 'manifest'>,
  { report }: Pick<Device, 'report'>,
): boolean {
  return manifest.architecture === report.architecture && fitsLibc(manifest.libc, report.os.libc)
}

async function advance(
  context: ConductorContext,
  device: Device,
  wanted: RuntimePackage,
): Promise<void> {
  const { db, trust } = context
  if (activeVariant(device, wanted.name) === wanted.digest) return
  const before = await runtimePackages.findOffer(db, device.id, wanted.name)
  const same = before?.package === wanted.digest ? before : undefined
  if (same && (await isSettled(context, same))) return
  const released = await trust.image.packages(wanted.name)
  const target = released.find(({ digest }) => digest === wanted.digest)
  if (target) await give(context, device, target, (same?.attempt ?? 0) + 1)
}

/** It was tried, or is under way. */
async function isSettled({ db, now }: ConductorContext, offer: RuntimeOffer): Promise<boolean> {
  if (offer.state === 'failed' || offer.attempt >= MOST_ATTEMPTS) return true
  if (offer.state === 'active') return false
  const order = await orders.findOrder(db, offer.orderId)
  const isUnderWay = order !== undefined && order.state !== 'closed'
  return isUnderWay && (order.expiresAt === null || new Date(order.expiresAt) > now())
}

async function give(
  context: ConductorContext,
  device: Device,
  target: ReleasedPackage,
  attempt: number,
): Promise<void> {
  const { now, settings } = context
  const at = now()
  const { model: name, digest, blockList, architecture } = target
  const order = { v: 1, id: newId(), kind: 'assign', model: name, variant: digest } as const
  await commit(context, 'runtime.given', async (trx) => {
    const known = await runtimePackages.findOffer(trx, device.id, name)
    if (known) await orders.closeOrder(trx, known.orderId)
    await memberships.countOn(trx, [device.id], name, at)
    const directed = { device: device.id, variant: digest, engine: null }
    await memberships.putDirections(trx, name, architecture, [directed])
    const expiresAt = new Date(at.getTime() + settings.assignmentDays * DAY_MS)
    await orders.addOrder(trx, device.id, order, [digest, blockList], at, expiresAt)
    const offer = { device: device.id, name, package: digest, orderId: order.id } as const
    await runtimePackages.putOffer(trx, { ...offer, state: 'ordered', attempt, error: null }, at)
  })
  context.nudge(device.id)
}
