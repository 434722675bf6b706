import { parseJsonText } from '../../shared/json.ts'
import { countVouchers, type Vouched } from '../../shared/signatures/index.ts'
import {
  type ShipmentStatement,
  shipmentStatementSchema,
  TrustError,
} from '../../shared/trust/index.ts'
import { directorKeys } from './director-keys.ts'
import type { RootSigned } from './repository-client.ts'

/**
 * What devices of a class shall run, once enough of the keys vouch for it that may assign.
 * @throws TrustError named after the attack it looks like
 */
export function verifySignedShipment(
  vouched: Vouched,
  root: RootSigned,
  now: Date,
): ShipmentStatement {
  const threshold = root.roles.targets?.threshold ?? Number.POSITIVE_INFINITY
  if (countVouchers(vouched, directorKeys(root), 'shipment') < threshold) {
    throw new TrustError('arbitrary-software', 'too few of the director’s keys sign this shipment')
  }
  const json = parseJsonText(Buffer.from(vouched.payload))
  const parsed = shipmentStatementSchema.safeParse(json.ok ? json.value : undefined)
  if (!parsed.success) throw new TrustError('malformed-metadata', 'what was signed is no shipment')
  const { expires } = parsed.data
  if (new Date(expires) <= now) {
    throw new TrustError(
      'freeze',
      `the shipment expired at ${expires}: run fitment bridge hawkbit again, and daily`,
    )
  }
  return parsed.data
}
