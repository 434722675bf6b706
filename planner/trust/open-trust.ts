import { type AuthorityOptions, TrustAuthority } from './authority.ts'
import { isComplete } from './pending.ts'

/**
 * The trust of a data directory: made at the first start, with every key here and unsealed; finished,
 * where the power went in the middle; signed anew, where it ages.
 */
export async function openTrust(options: AuthorityOptions): Promise<TrustAuthority> {
  const trust = new TrustAuthority(options)
  for (const batch of await trust.pending()) {
    if (isComplete(batch)) await trust.publish(batch)
    // Without the first root nothing can be published but this: it is drafted again.
    else if (!(await trust.isInitialised())) await trust.drop(batch)
  }
  if (!(await trust.isInitialised())) await trust.publish(await trust.sign(await trust.init()))
  await trust.refresh()
  return trust
}
