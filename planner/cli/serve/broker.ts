import { mkdir } from 'node:fs/promises'
import { pino } from 'pino'
import { z } from 'zod'
import { startBroker } from '../../../broker/index.ts'
import { goOnWithout } from '../../../shared/command-line/index.ts'
import { fleetSchema } from '../../../shared/ids.ts'
import { logDestination } from '../../../shared/log/index.ts'
import { requireTlsBeyondLoopback } from '../../../shared/loopback.ts'
import { stopSignal } from '../../../shared/service/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, portInput } from '../program/fleet-options.ts'
import { ensureSecret } from './broker-secret.ts'
import { showMetrics } from './show-metrics.ts'

export const brokerCommand = defineCommand({
  path: 'broker',
  summary: 'Runs the broker alone on this machine, for a planner in another process.',
  options: [
    dataOption,
    { flags: '--fleet <name>', description: 'name of the fleet', default: 'default' },
    {
      flags: '--host <address>',
      description: 'loopback address to listen on',
      default: '127.0.0.1',
    },
    { flags: '--port <port>', description: 'port to listen on; 0: any free one', default: '1883' },
    {
      flags: '--secret-file <file>',
      description: 'what the planner logs in with (default: <data>/broker-secret)',
    },
    {
      flags: '--metrics-port <port>',
      description: 'shows /metrics on this port of --host; 0: any free one (default: nowhere)',
    },
  ],
  example: 'fitment broker --port 1883',
  input: z.object({
    ...dataInput,
    fleet: fleetSchema,
    host: z.string(),
    port: portInput,
    secretFile: z.string().optional(),
    metricsPort: portInput.optional(),
  }),
  run: async ({ data, fleet, host, port, secretFile, metricsPort }, io) => {
    requireTlsBeyondLoopback(
      `mqtt://${host}`,
      'use fitment serve, which has TLS, or Mosquitto with fitment broker export-mosquitto',
    )
    await mkdir(data, { recursive: true, mode: 0o700 })
    const { secret, file } = await ensureSecret(data, secretFile)
    const log = pino({ level: 'warn' }, logDestination())
    const broker = await startBroker({ fleets: [fleet], host, port, plannerSecret: secret, log })
    const url = `mqtt://${broker.host}:${broker.port}`
    goOnWithout(process.stdout)
    const metrics =
      metricsPort === undefined
        ? undefined
        : await showMetrics({ host, port: metricsPort }, () => broker.figures())
    const stopped = stopSignal()
    const shown = { url, fleet, secretFile: file, ...(metrics && { metrics: metrics.url }) }
    io.result({ ...shown, ready: true }, () =>
      [
        `broker ready: ${url}, fleet ${fleet}`,
        ...(metrics ? [`metrics: ${metrics.url}`] : []),
        `a planner logs in with the secret in ${file}:`,
        `  fitment planner --broker ${url} --fleet ${fleet} --secret-file ${shellWord(file)}`,
      ].join('\n'),
    )
    await stopped
    await metrics?.close()
    await broker.close()
    return 0
  },
})
