import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import { goOnWithout, wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { failPointsFrom } from '../../../shared/fail-points.ts'
import { fleetSchema } from '../../../shared/ids.ts'
import { logDestination } from '../../../shared/log/index.ts'
import { notifyReady, stopSignal } from '../../../shared/service/index.ts'
import { ClusterError, joinCluster } from '../../cluster/index.ts'
import { Builder, failPointNames } from '../../conductor/index.ts'
import {
  type ArtifactStore,
  artifactSample,
  createArtifactStore,
  type Db,
  openDatabase,
  startingAlone,
} from '../../storage/index.ts'
import { defineCommand } from '../program/command.ts'
import {
  dataInput,
  dataOption,
  needsDatabase,
  pick,
  plannerInput,
} from '../program/fleet-options.ts'
import { endedBy } from './run-until-stopped.ts'

export const builderCommand = defineCommand({
  path: 'builder',
  summary: 'Builds and evaluates variants for the planners of one database, on this machine.',
  options: [
    dataOption,
    ...pick('--database', '--fleet', '--log-level'),
    {
      flags: '--shared <dir>',
      description: 'the folder of artifacts that planners and builders see',
    },
    { flags: '--jobs <n>', description: 'builds and evaluations at a time (default: 1 or 2)' },
  ],
  example: 'fitment builder --database postgres://fitment@db.local/fitment --shared /mnt/fitment',
  input: z.object({
    ...dataInput,
    fleet: fleetSchema,
    database: z.string().optional(),
    shared: z.string('give the folder that planners share with --shared').min(1),
    jobs: wholeNumber({ least: 1 }).optional(),
    logLevel: plannerInput.logLevel,
  }),
  run: async ({ data, fleet, shared, jobs, logLevel, ...input }, io) => {
    const url = input.database ?? process.env.FITMENT_DATABASE
    if (!url) throw new UsageError(needsDatabase('a builder'))
    const log = pino({ level: logLevel }, logDestination())
    const database = await openDatabase({ data, url, sharing: 'together' })
    const { db } = database
    const cluster = await startingAlone(database, () =>
      joinCluster({ database, fleet, role: 'builder', log }),
    ).catch(async (error) => {
      await database.close()
      throw error
    })
    const artifacts = createArtifactStore(shared, db, () => new Date())
    const list = 'planner/conductor/context/commit-names.ts'
    const builder = new Builder({
      ...{ db, artifacts, cluster, log, jobsAtOnce: jobs },
      workDir: join(data, 'work'),
      failPoints: failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames(), list),
    })
    const close = async () => {
      await builder.close()
      await cluster.close()
      await database.close()
    }
    try {
      await requireArtifacts(db, artifacts, shared)
      await builder.start()
    } catch (error) {
      await close()
      throw error
    }
    goOnWithout(process.stdout)
    const stopped = stopSignal()
    io.result({ database: database.place, shared, ready: true }, () =>
      [`builder ready: database ${database.place}, artifacts in ${shared}`, ''].join('\n'),
    )
    const stopNotifying = notifyReady()
    const lost = Promise.race([database.lost, cluster.lost])
    return await endedBy({ stopped, lost }, io, async () => {
      stopNotifying()
      await close()
    })
  },
})

/** A folder that is not the planners' would fail every build, one by one. */
async function requireArtifacts(db: Db, artifacts: ArtifactStore, shared: string): Promise<void> {
  const known = await artifactSample(db)
  if (known === undefined || (await artifacts.fileOf(known)) !== undefined) return
  throw new ClusterError(
    'other-artifacts',
    `${shared} has none of the artifacts that this database knows: give the folder that the planners have as --shared`,
  )
}
