import { parseJsonText } from '../../shared/json.ts'
import type { OpenUnion } from '../../shared/open-words.ts'
import {
  countVouchers,
  type SignaturePurpose,
  type Vouched,
} from '../../shared/signatures/index.ts'
import { TrustError } from '../../shared/trust/index.ts'
import { directorKeys } from './director-keys.ts'
import type { RootSigned } from './repository-client.ts'

/**
 * What the director says beside its metadata, once enough of the keys vouch for it that may assign.
 * @throws TrustError named after the attack it looks like
 */
export function vouchedStatement<T>(
  vouched: Vouched,
  root: RootSigned,
  { purpose, schema }: { readonly purpose: SignaturePurpose; readonly schema: OpenUnion<T> },
): T {
  const threshold = root.roles.targets?.threshold ?? Number.POSITIVE_INFINITY
  if (countVouchers(vouched, directorKeys(root), purpose) < threshold) {
    throw new TrustError(
      'arbitrary-software',
      `too few of the director’s keys sign this ${purpose}`,
    )
  }
  const json = parseJsonText(Buffer.from(vouched.payload))
  const parsed = schema.safeParse(json.ok ? json.value : undefined)
  if (parsed.success) return parsed.data as T
  throw new TrustError('malformed-metadata', `what was signed is no ${purpose}`)
}
