import { z } from 'zod'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { connectPlanner } from '../../api/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, hoursInput } from '../program/fleet-options.ts'

export const devicesInviteCommand = defineCommand({
  path: 'devices invite',
  summary: 'Prints a one-time token with which a device joins the fleet.',
  options: [
    dataOption,
    {
      flags: '--device <id>',
      description: 'only this device may use it, and it takes the place of one of that name',
    },
    {
      flags: '--expires <time>',
      description: 'how long it is good, e.g. 30m, 24h, 7d',
      default: '24h',
    },
  ],
  example: 'fitment devices invite --device press-12 --expires 2h',
  input: z.object({ ...dataInput, device: deviceIdSchema.optional(), expires: hoursInput }),
  run: async ({ data, device = null, expires: hours }, io) => {
    const made = await connectPlanner(data).call('devices.invite', { device, hours })
    const name = device === null ? ' --device NAME' : ''
    const state = '--state-dir /var/lib/fitment-agent'
    io.result(made, () =>
      [
        made.token,
        '',
        `good once, until ${made.expiresAt}; on the device:`,
        `  fitment-agent join TOKEN${name} ${state}`,
        `  fitment-agent run ${state}`,
      ].join('\n'),
    )
    return 0
  },
})

export const devicesRevokeCommand = defineCommand({
  path: 'devices revoke',
  summary: 'Takes its certificates from a device: it is disconnected at once and not let in again.',
  arguments: [{ name: 'device', description: 'name of the device' }],
  options: [
    dataOption,
    { flags: '--reason <text>', description: 'for the audit log', default: 'not said' },
  ],
  example: 'fitment devices revoke press-12 --reason "stolen"',
  input: z.object({ ...dataInput, device: deviceIdSchema, reason: z.string().max(200) }),
  run: async ({ data, device, reason }, io) => {
    const done = await connectPlanner(data).call('devices.revoke', { device, reason })
    const taken = done.certificates + done.tokens
    io.result(done, () =>
      taken === 0
        ? `${device} has no valid certificate and no unused token: nothing to revoke`
        : `${device} is out: ${done.certificates} certificate(s) and ${done.tokens} unused token(s) revoked; it joins again with a new token only`,
    )
    return taken === 0 ? 1 : 0
  },
})
