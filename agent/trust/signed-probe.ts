import {
  type ProbeStatement,
  probeStatementSchema,
  type VouchedProbe,
} from '../../shared/messages/index.ts'
import { TrustError } from '../../shared/trust/index.ts'
import type { RootSigned } from './repository-client.ts'
import { vouchedStatement } from './vouched-statement.ts'

/**
 * What the director asks this device to measure, once enough of the keys vouch for it that may assign.
 * @throws TrustError named after the attack it looks like
 */
export function verifySignedProbe(
  { vouched, id, model, variant }: VouchedProbe,
  root: RootSigned,
  device: string,
  now: Date,
): ProbeStatement {
  const purpose = 'probe'
  const statement = vouchedStatement(vouched, root, { purpose, schema: probeStatementSchema })
  const { order } = statement
  if (statement.device !== device) {
    throw new TrustError(
      'replayed-assignment',
      `the probe was signed for ${statement.device}, but this is ${device}`,
      { device: statement.device },
    )
  }
  if (new Date(statement.expires) <= now) {
    throw new TrustError('freeze', `the probe expired at ${statement.expires}`)
  }
  if (order.id !== id || order.model !== model || order.variant !== variant) {
    throw new TrustError('mix-and-match', 'the order names another probe than the one signed')
  }
  return statement
}
