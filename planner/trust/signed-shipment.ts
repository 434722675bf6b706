import { type SigningKey, type Vouched, vouchFor } from '../../shared/signatures/index.ts'
import type { ShipmentStatement, ShippedVariant } from '../../shared/trust/index.ts'
import { expiryAfter, tufTime } from './lifetimes.ts'

/** What devices of a class shall run that hear of it by another updater. */
export interface Shipping {
  readonly class: string
  readonly variants: readonly ShippedVariant[]
}

/** The director's word on it, signed now. */
export function signShipment(
  { class: name, variants }: Shipping,
  keys: readonly SigningKey[],
  { issuedAt, days }: { readonly issuedAt: Date; readonly days: number },
): Vouched {
  const statement: ShipmentStatement = {
    class: name,
    issuedAt: tufTime(issuedAt),
    expires: expiryAfter(issuedAt, days),
    variants: [...variants],
  }
  return vouchFor(JSON.stringify(statement), keys, 'shipment')
}
