import { NO_POLICY, type ProbePolicy, probePolicySchema } from '../probing/index.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

/** How probes of this revision are made. */
export async function probePolicyOf(db: Db, model: string): Promise<ProbePolicy> {
  const row = await db
    .selectFrom('probe_policies')
    .select('policy')
    .where('model', '=', model)
    .executeTakeFirst()
  return row ? readJson(probePolicySchema, row.policy) : NO_POLICY
}

export async function setProbePolicy(db: Db, model: string, policy: ProbePolicy): Promise<void> {
  const text = JSON.stringify(policy)
  await db
    .insertInto('probe_policies')
    .values({ model, policy: text })
    .onConflict((conflict) => conflict.column('model').doUpdateSet({ policy: text }))
    .execute()
}
