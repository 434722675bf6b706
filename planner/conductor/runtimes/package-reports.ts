import type { ReportOf } from '../../../shared/messages/index.ts'
import { audit, type Db, orders, type RuntimeOffer, runtimePackages } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'

type Telling = Pick<ConductorContext, 'log' | 'now'>

/** What a device says of a package it was told to have. */
export async function notePackage(
  context: Telling,
  db: Db,
  offer: RuntimeOffer,
  { state, error }: ReportOf<'install'>,
): Promise<void> {
  if (state === 'active') {
    await runtimePackages.putOffer(db, { ...offer, state: 'active', error: null }, context.now())
    await orders.closeOrder(db, offer.orderId)
  }
  if (state !== 'rolled-back' && state !== 'refused' && state !== 'failed') return
  await giveUp(context, db, offer, error ? `${error.code}: ${error.message}` : state)
}

/** Not offered again: what it cannot open today it cannot open tomorrow. A newer package is another matter. */
export async function giveUp(
  context: Telling,
  db: Db,
  offer: RuntimeOffer,
  error: string,
): Promise<void> {
  await runtimePackages.putOffer(db, { ...offer, state: 'failed', error }, context.now())
  await orders.closeOrder(db, offer.orderId)
  const { device, name: subject, package: digest } = offer
  context.log.warn({ device, runtime: subject }, `a runtime was not installed: ${error}`)
  const entry = { actor: `device:${device}`, action: 'runtime.failed', subject }
  await audit.writeAudit(db, { ...entry, detail: { package: digest, error } }, context.now())
}
