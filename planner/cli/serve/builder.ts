import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import { goOnWithout, wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { failPointsFrom } from '../../../shared/fail-points.ts'
import { fleetSchema } from '../../../shared/ids.ts'
import { logDestination } from '../../../shared/log/index.ts'
import { notifyReady, stopSignal } from '../../../shared/service/index.ts'
import { joinCluster } from '../../cluster/index.ts'
import { Builder, failPointNames } from '../../conductor/index.ts'
import { openArtifacts, openDatabase, startingAlone } from '../../storage/index.ts'
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
      description: 'the folder of artifacts that planners and builders see; not with --artifacts',
    },
    ...pick('--artifacts', '--artifacts-cache'),
    { flags: '--jobs <n>', description: 'builds and evaluations at a time (default: 1 or 2)' },
  ],
  example: 'fitment builder --database postgres://fitment@db.local/fitment --shared /mnt/fitment',
  input: z.object({
    ...dataInput,
    fleet: fleetSchema,
    database: z.string().optional(),
    shared: z.string().min(1).optional(),
    artifacts: plannerInput.artifacts,
    artifactsCache: plannerInput.artifactsCache,
    jobs: wholeNumber({ least: 1 }).optional(),
    logLevel: plannerInput.logLevel,
  }),
  run: async ({ data, fleet, jobs, logLevel, ...input }, io) => {
    const url = input.database ?? process.env.FITMENT_DATABASE
    if (!url) throw new UsageError(needsDatabase('a builder'))
    const { artifacts: elsewhere, artifactsCache: cacheBytes } = input
    // Keys are nothing to a builder: of what planners share it needs the files alone.
    const shared = elsewhere === undefined ? input.shared : data
    if (shared === undefined) {
      throw new UsageError('give the folder that planners share with --shared, or --artifacts')
    }
    const log = pino({ level: logLevel }, logDestination())
    const database = await openDatabase({ data, url, sharing: 'together' })
    const { db } = database
    const cluster = await startingAlone(database, () =>
      joinCluster({ database, fleet, role: 'builder', log }),
    ).catch(async (error) => {
      await database.close()
      throw error
    })
    const left: (() => Promise<void>)[] = [() => database.close(), () => cluster.close()]
    const close = async () => {
      for (const leave of left.splice(0).reverse()) await leave()
    }
    let place: string
    try {
      const where = { data, shared, artifacts: elsewhere, cacheBytes }
      const artifacts = await openArtifacts(where, db, () => new Date())
      const list = 'planner/conductor/context/commit-names.ts'
      const builder = new Builder({
        ...{ db, artifacts, cluster, log, jobsAtOnce: jobs },
        workDir: join(data, 'work'),
        failPoints: failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames(), list),
      })
      left.push(() => builder.close())
      await builder.start()
      place = artifacts.place
    } catch (error) {
      await close()
      throw error
    }
    goOnWithout(process.stdout)
    const stopped = stopSignal()
    io.result({ database: database.place, artifacts: place, ready: true }, () =>
      [`builder ready: database ${database.place}, artifacts in ${place}`, ''].join('\n'),
    )
    const stopNotifying = notifyReady()
    const lost = Promise.race([database.lost, cluster.lost])
    return await endedBy({ stopped, lost }, io, async () => {
      stopNotifying()
      await close()
    })
  },
})
