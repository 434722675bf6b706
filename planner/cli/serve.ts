import { hostname } from 'node:os'
import { pino } from 'pino'
import { z } from 'zod'
import { startBroker } from '../../broker/index.ts'
import { fleetSchema } from '../../shared/ids.ts'
import { defineCommand } from './command.ts'
import { plannerInput, plannerOptions, portInput, settingsOf } from './fleet-options.ts'
import { startPlanner } from './planner-process.ts'
import { announce, runUntilStopped } from './run-until-stopped.ts'

export const serveCommand = defineCommand({
  path: 'serve',
  summary: 'Runs broker and planner on this machine, and says how a device joins.',
  options: [
    ...plannerOptions,
    {
      flags: '--host <address>',
      description: 'address the broker listens on',
      default: '127.0.0.1',
    },
    { flags: '--port <port>', description: 'port of the broker; 0: any free one', default: '1883' },
  ],
  example: 'fitment serve --data /var/lib/fitment --host 0.0.0.0',
  input: z.object({ ...plannerInput, fleet: fleetSchema, host: z.string(), port: portInput }),
  run: async ({ host, port, ...input }, io) => {
    const log = pino({ level: input.logLevel }, pino.destination(2))
    const planner = await startPlanner({
      ...input,
      database: input.database ?? process.env.FITMENT_DATABASE,
      profiles: input.profiles,
      settings: settingsOf(input),
      log,
      connect: async () => {
        const broker = await startBroker({ fleets: [input.fleet], host, port, log })
        return {
          connection: { kind: 'embedded', broker },
          url: `mqtt://${reachable(host)}:${broker.port}`,
          close: () => broker.close(),
        }
      },
    })
    announce(planner, input.data, io)
    return runUntilStopped(planner, io)
  },
})

/** An address that listens everywhere is none to connect to. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host
}
