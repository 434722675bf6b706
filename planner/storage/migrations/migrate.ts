import { type Kysely, Migrator } from 'kysely'
import { messageOf } from '../../../shared/errors.ts'
import { StorageError } from '../errors.ts'
import { loopTables } from './0001-loop.ts'
import { identityTables } from './0002-identity.ts'
import { trustTables } from './0003-trust.ts'
import { tuningTables } from './0004-tunings.ts'
import { runtimeTables } from './0005-runtimes.ts'
import { engineTables } from './0006-engines.ts'
import { evidenceTables } from './0007-evidence.ts'
import { labelTables } from './0008-labels.ts'
import { recheckTables } from './0009-rechecks.ts'
import { tallies } from './0010-tallies.ts'
import { groupTables } from './0012-groups.ts'
import { whenTables } from './0013-when.ts'
import { healthTables } from './0014-health.ts'
import { clockTables } from './0016-clock.ts'
import { doubleTables } from './0017-doubles.ts'
import { capturedTables } from './0019-captured.ts'
import { revokedTokenTables } from './0020-revoked-tokens.ts'
import { policyTables } from './0021-probe-policies.ts'
import { partTables } from './0022-class-parts.ts'
import { cluster } from './0023-cluster.ts'
import { api } from './0027-api.ts'
import { webhookTables } from './0028-webhooks.ts'
import { probeIndexes } from './0029-probe-indexes.ts'
import { createTables, type DialectName } from './create.ts'

/** Brings a database of any earlier version up to this one. @throws StorageError */
export async function migrate<T>(db: Kysely<T>, dialect: DialectName): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () => ({
        '0001-loop': createTables(loopTables, dialect),
        '0002-identity': createTables(identityTables, dialect),
        '0003-trust': createTables(trustTables, dialect),
        '0004-tunings': createTables(tuningTables, dialect),
        '0005-runtimes': createTables(runtimeTables, dialect),
        '0006-engines': createTables(engineTables, dialect),
        '0007-evidence': createTables(evidenceTables, dialect),
        '0008-labels': createTables(labelTables, dialect),
        '0009-rechecks': createTables(recheckTables, dialect),
        '0010-tallies': tallies(dialect),
        '0012-groups': createTables(groupTables, dialect),
        '0013-when': createTables(whenTables, dialect),
        '0014-health': createTables(healthTables, dialect),
        '0016-clock': createTables(clockTables, dialect),
        '0017-doubles': createTables(doubleTables, dialect),
        '0019-captured': createTables(capturedTables, dialect),
        '0020-revoked-tokens': createTables(revokedTokenTables, dialect),
        '0021-probe-policies': createTables(policyTables, dialect),
        '0022-class-parts': createTables(partTables, dialect),
        '0023-cluster': cluster(dialect),
        '0027-api': api(dialect),
        '0028-webhooks': createTables(webhookTables, dialect),
        '0029-probe-indexes': probeIndexes,
      }),
    },
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) {
    if (isNewer(error)) {
      throw new StorageError(
        'newer',
        'a newer version of Fitment wrote this database: run that one, or restore a backup of before',
        {},
        { cause: error },
      )
    }
    throw new StorageError(
      'unreadable',
      `the database cannot be brought to this version of Fitment: ${messageOf(error)}`,
      {},
      { cause: error },
    )
  }
}

/** Migrations are there that this version has never heard of. */
function isNewer(error: unknown): boolean {
  return /previously executed migration .* is missing/.test(messageOf(error))
}
