import { pino } from 'pino'
import { z } from 'zod'
import { decimal } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { fleetSchema } from '../../../shared/ids.ts'
import { logDestination } from '../../../shared/log/index.ts'
import { isLoopback } from '../../../shared/loopback.ts'
import { defineCommand } from '../program/command.ts'
import {
  limitsOf,
  listInput,
  plannerInput,
  plannerOptions,
  portInput,
  settingsOf,
} from '../program/fleet-options.ts'
import { openBroker, reachable } from './embedded-broker.ts'
import { keepInput, keepOption } from './keep-option.ts'
import { startPlanner } from './planner-process.ts'
import { runUntilStopped } from './run-until-stopped.ts'

const PLAIN_PORT = 1883
const TLS_PORT = 8883

export const serveCommand = defineCommand({
  path: 'serve',
  summary: 'Runs broker and planner on this machine, and says how a device joins.',
  options: [
    ...plannerOptions,
    keepOption,
    {
      flags: '--host <address>',
      description: 'address the broker listens on, with TLS and certificates',
      default: '127.0.0.1',
    },
    {
      flags: '--port <port>',
      description: `port of the broker; 0: any free one (default: ${TLS_PORT}, without TLS ${PLAIN_PORT})`,
    },
    {
      flags: '--insecure-loopback',
      description:
        'no TLS, and client ids are believed: for trying things out on this machine alone',
    },
    {
      flags: '--name <names>',
      description:
        'names and addresses devices reach this machine under; the first one is told them',
    },
    {
      flags: '--certificate-days <days>',
      description: 'life of a device’s certificate',
      default: '30',
    },
    {
      flags: '--api-host <address>',
      description: 'let operators on other machines ask, with tokens of fitment operators add',
    },
    { flags: '--api-port <port>', description: 'port they ask on', default: '8443' },
    {
      flags: '--api-plain',
      description:
        'no TLS on a loopback --api-host: for a browser of this machine, or behind a proxy that has TLS',
    },
    {
      flags: '--metrics <who>',
      description: 'who may read /metrics at --api-host: nobody, token or everybody',
      default: 'nobody',
    },
  ],
  example: 'fitment serve --data /var/lib/fitment --host 0.0.0.0 --name planner.plant-7.example',
  input: z.object({
    ...plannerInput,
    keep: keepInput.optional(),
    fleet: fleetSchema,
    host: z.string(),
    port: portInput.optional(),
    insecureLoopback: z.boolean().default(false),
    name: listInput,
    certificateDays: decimal({ above: 0, most: 3650 }),
    apiHost: z.string().optional(),
    apiPort: portInput,
    apiPlain: z.boolean().default(false),
    metrics: z.enum(['nobody', 'token', 'everybody'], 'say nobody, token or everybody'),
  }),
  run: async (
    { keep, host, port, insecureLoopback, name, apiHost, apiPort, apiPlain, ...input },
    io,
  ) => {
    if (insecureLoopback && !isLoopback(host)) {
      throw new UsageError(`--insecure-loopback goes with a loopback --host: leave out one of them`)
    }
    if (apiPlain && (apiHost === undefined || !isLoopback(apiHost))) {
      throw new UsageError('--api-plain goes with a loopback --api-host, e.g. 127.0.0.1')
    }
    const tls = !insecureLoopback
    const log = pino({ level: input.logLevel }, logDestination())
    const planner = await startPlanner({
      ...input,
      database: input.database ?? process.env.FITMENT_DATABASE,
      profiles: input.profiles,
      settings: { ...settingsOf(input), ...(keep && { retention: keep }) },
      names: [...name, host, ...(apiHost === undefined ? [] : [apiHost])],
      limits: limitsOf(input),
      metricsFor: input.metrics,
      log,
      ...(apiHost !== undefined && {
        listener: {
          ...{ host: apiHost, port: apiPort, isPlain: apiPlain },
          name: (apiPlain ? undefined : name[0]) ?? reachable(apiHost),
        },
      }),
      connect: (identity) =>
        openBroker(identity, {
          fleet: input.fleet,
          host,
          port: port ?? (tls ? TLS_PORT : PLAIN_PORT),
          tls,
          name: name[0],
          log,
        }),
    })
    return runUntilStopped(planner, input.data, io)
  },
})
