import { parseJsonText } from '../../shared/json.ts'
import {
  type ProbeStatement,
  probeStatementSchema,
  type VouchedProbe,
} from '../../shared/messages/index.ts'
import { countVouchers } from '../../shared/signatures/index.ts'
import { TrustError } from '../../shared/trust/index.ts'
import { directorKeys } from './director-keys.ts'
import type { RootSigned } from './repository-client.ts'

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
  const threshold = root.roles.targets?.threshold ?? Number.POSITIVE_INFINITY
  if (countVouchers(vouched, directorKeys(root), 'probe') < threshold) {
    throw new TrustError('arbitrary-software', 'too few of the director’s keys sign this probe')
  }
  const json = parseJsonText(Buffer.from(vouched.payload))
  const parsed = probeStatementSchema.safeParse(json.ok ? json.value : undefined)
  if (!parsed.success) throw new TrustError('malformed-metadata', 'what was signed is no probe')
  const statement = parsed.data
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
