import { z } from 'zod'
import {
  MOSQUITTO_FILES,
  mosquittoAcl,
  mosquittoJoinAcl,
  mosquittoSettings,
} from '../../../broker/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { connectPlanner } from '../../api/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, listInput, portInput } from '../program/fleet-options.ts'
import { writeExport } from './export-files.ts'

export const brokerExportCommand = defineCommand({
  path: 'broker export-mosquitto',
  summary: 'Writes access rules, certificates and settings for Mosquitto as the broker.',
  arguments: [{ name: 'dir', description: 'folder for them' }],
  options: [
    dataOption,
    { flags: '--name <names>', description: 'names and addresses Mosquitto is reached under' },
    { flags: '--port <port>', description: 'for planner and devices', default: '8883' },
    {
      flags: '--join-port <port>',
      description: 'for devices that have no certificate yet',
      default: '8884',
    },
  ],
  example: 'fitment broker export-mosquitto /etc/mosquitto/fitment --name broker.plant-7.example',
  input: z.object({
    ...dataInput,
    dir: z.string(),
    name: listInput,
    port: portInput,
    joinPort: portInput,
  }),
  run: async ({ data, dir, name: names, port, joinPort }, io) => {
    const planner = connectPlanner(data)
    const { fleet } = await planner.call('planner.info', {})
    const given = await planner.call('broker.credentials', { names })
    const files: Record<Exclude<keyof typeof MOSQUITTO_FILES, 'process'>, string> = {
      settings: mosquittoSettings({ port, joinPort }),
      access: mosquittoAcl(fleet),
      joinAccess: mosquittoJoinAcl(fleet),
      authority: given.authority,
      certificate: given.certificate,
      key: given.key,
      revoked: given.revoked,
    }
    await writeExport(dir, MOSQUITTO_FILES, files)
    const host = names[0] ?? 'HOST'
    io.result({ dir, fleet, validUntil: given.validUntil, revoked: given.revokedCount }, () =>
      [
        `${dir} holds settings, access rules and certificates for fleet ${fleet}:`,
        `  cd ${shellWord(dir)} && mosquitto -c ${MOSQUITTO_FILES.settings}`,
        `  fitment planner --fleet ${fleet} --broker mqtts://${host}:${port} --join-broker mqtts://${host}:${joinPort} --mosquitto ${shellWord(dir)}`,
        '',
        'with --mosquitto, on the same machine, revocations and a new certificate reach it by themselves; without,',
        `export again after fitment devices revoke, and before ${given.validUntil}; then send Mosquitto SIGHUP`,
        'its key belongs to the user that Mosquitto runs as',
      ].join('\n'),
    )
    return 0
  },
})
