import type { ProbeStatement } from '../../shared/messages/index.ts'
import { type SigningKey, type Vouched, vouchFor } from '../../shared/signatures/index.ts'
import { expiryAfter, tufTime } from './lifetimes.ts'

/** The director's word that this device shall measure this: signed now, for as long as an assignment. */
export function signProbe(
  device: string,
  order: ProbeStatement['order'],
  keys: readonly SigningKey[],
  { issuedAt, days }: { readonly issuedAt: Date; readonly days: number },
): Vouched {
  const statement: ProbeStatement = {
    device,
    issuedAt: tufTime(issuedAt),
    expires: expiryAfter(issuedAt, days),
    order,
  }
  return vouchFor(JSON.stringify(statement), keys, 'probe')
}
