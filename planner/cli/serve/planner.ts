import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { fleetSchema } from '../../../shared/ids.ts'
import { logDestination } from '../../../shared/log/index.ts'
import { requireTlsBeyondLoopback } from '../../../shared/loopback.ts'
import { defineCommand } from '../program/command.ts'
import {
  limitsOf,
  needsDatabase,
  plannerInput,
  plannerOptions,
  settingsOf,
} from '../program/fleet-options.ts'
import { readSecret } from './broker-secret.ts'
import { keepInput, keepOption } from './keep-option.ts'
import { joinUrl, openOutsideBroker } from './outside-broker.ts'
import { startPlanner } from './planner-process.ts'
import { runUntilStopped } from './run-until-stopped.ts'

export const plannerCommand = defineCommand({
  path: 'planner',
  summary: 'Runs the planner against a broker elsewhere.',
  options: [
    ...plannerOptions,
    keepOption,
    {
      flags: '--shared <dir>',
      description:
        'several planners on one --database: the folder of artifacts and keys that all of them see',
    },
    {
      flags: '--jobs <n>',
      description:
        'builds and evaluations at a time here; 0, with --shared: leaves them to builders (default: 1 or 2)',
    },
    { flags: '--broker <url>', description: 'mqtts://host:port, or mqtt:// on this machine' },
    { flags: '--username <name>', description: 'user of the broker', default: 'planner' },
    {
      flags: '--secret-file <file>',
      description: 'its password, for mqtt:// (default: <data>/broker-secret)',
    },
    {
      flags: '--join-broker <url>',
      description: 'where devices ask for a certificate, for mqtts:// (default: the port after)',
    },
    {
      flags: '--mosquitto <dir>',
      description: 'what export-mosquitto wrote, on this machine: revocations reach it at once',
    },
  ],
  example: 'fitment planner --broker mqtts://broker.local:8883',
  input: z.object({
    ...plannerInput,
    keep: keepInput.optional(),
    fleet: fleetSchema,
    shared: z.string().min(1).optional(),
    jobs: wholeNumber({ least: 0 }).optional(),
    broker: z.string('give the broker with --broker mqtt://host:port'),
    username: z.string(),
    secretFile: z.string().optional(),
    joinBroker: z.string().optional(),
    mosquitto: z.string().optional(),
  }),
  run: async (
    { keep, broker: url, shared, jobs, username, secretFile, joinBroker, mosquitto, ...input },
    io,
  ) => {
    const log = pino({ level: input.logLevel }, logDestination())
    const { fleet } = input
    requireTlsBeyondLoopback(url, 'give an mqtts:// broker')
    const isTls = url.startsWith('mqtts:')
    if (mosquitto !== undefined && !isTls) {
      throw new UsageError('--mosquitto is for a broker with TLS: use --broker mqtts://host[:port]')
    }
    const password = isTls
      ? undefined
      : await readSecret(secretFile ?? join(input.data, 'broker-secret'))
    const database = input.database ?? process.env.FITMENT_DATABASE
    if (shared !== undefined && !database) throw new UsageError(needsDatabase('--shared'))
    if (jobs === 0 && shared === undefined) {
      throw new UsageError('--jobs 0 leaves builds to builders, which needs --shared: give both')
    }
    const planner = await startPlanner({
      ...input,
      database,
      ...(shared !== undefined && { shared }),
      profiles: input.profiles,
      settings: {
        ...settingsOf(input),
        ...(keep && { retention: keep }),
        ...(jobs !== undefined && { jobsAtOnce: jobs }),
      },
      limits: limitsOf(input),
      log,
      ...(isTls && { outside: { broker: url, joinBroker: joinUrl(url, joinBroker) } }),
      connect: async (identity, isMine) =>
        password === undefined
          ? openOutsideBroker(identity, { url, fleet, log, mosquitto, isMine })
          : {
              connection: { kind: 'mqtt', url, username, password },
              url,
              close: async () => {},
            },
    })
    return runUntilStopped(planner, input.data, io)
  },
})
