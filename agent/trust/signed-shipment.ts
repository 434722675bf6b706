import type { Vouched } from '../../shared/signatures/index.ts'
import {
  type ShipmentStatement,
  shipmentStatementSchema,
  TrustError,
} from '../../shared/trust/index.ts'
import type { RootSigned } from './repository-client.ts'
import { vouchedStatement } from './vouched-statement.ts'

/**
 * What devices of a class shall run, once enough of the keys vouch for it that may assign.
 * @throws TrustError named after the attack it looks like
 */
export function verifySignedShipment(
  vouched: Vouched,
  root: RootSigned,
  now: Date,
): ShipmentStatement {
  const purpose = 'shipment'
  const statement = vouchedStatement(vouched, root, { purpose, schema: shipmentStatementSchema })
  const { expires } = statement
  if (new Date(expires) <= now) {
    throw new TrustError(
      'freeze',
      `the shipment expired at ${expires}: run fitment bridge hawkbit again, and daily`,
    )
  }
  return statement
}
