import type { Kysely } from 'kysely'
import type { loopTables } from './migrations/0001-loop.ts'
import type { identityTables } from './migrations/0002-identity.ts'
import type { trustTables } from './migrations/0003-trust.ts'
import type { tuningTables } from './migrations/0004-tunings.ts'
import type { runtimeTables } from './migrations/0005-runtimes.ts'
import type { engineTables } from './migrations/0006-engines.ts'
import type { evidenceTables } from './migrations/0007-evidence.ts'
import type { labelTables } from './migrations/0008-labels.ts'
import type { recheckTables } from './migrations/0009-rechecks.ts'
import type { tallyTables } from './migrations/0010-tallies.ts'
import type { groupTables } from './migrations/0012-groups.ts'
import type { whenTables } from './migrations/0013-when.ts'
import type { healthTables } from './migrations/0014-health.ts'
import type { clockTables } from './migrations/0016-clock.ts'
import type { doubleTables } from './migrations/0017-doubles.ts'
import type { capturedTables } from './migrations/0019-captured.ts'
import type { revokedTokenTables } from './migrations/0020-revoked-tokens.ts'
import type { policyTables } from './migrations/0021-probe-policies.ts'
import type { partTables } from './migrations/0022-class-parts.ts'
import type { clusterTables } from './migrations/0023-cluster.ts'
import type { apiTables } from './migrations/0027-api.ts'
import type { webhookTables } from './migrations/0028-webhooks.ts'
import type { RowsOf } from './migrations/columns.ts'

/** The database as the queries see it, derived from what the migrations make. */
export type Tables = RowsOf<
  typeof loopTables &
    typeof identityTables &
    typeof trustTables &
    typeof tuningTables &
    typeof runtimeTables &
    typeof engineTables &
    typeof evidenceTables &
    typeof labelTables &
    typeof recheckTables &
    typeof tallyTables &
    typeof healthTables &
    typeof groupTables &
    typeof whenTables &
    typeof clockTables &
    typeof doubleTables &
    typeof capturedTables &
    typeof revokedTokenTables &
    typeof policyTables &
    typeof partTables &
    typeof clusterTables &
    typeof apiTables &
    typeof webhookTables
>

/** The open database, or a transaction on it: inside one, every query must go through it. */
export type Db = Kysely<Tables>
