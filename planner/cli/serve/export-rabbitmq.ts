import { join, resolve } from 'node:path'
import { z } from 'zod'
import {
  canUseRabbitmq,
  RABBITMQ_ADVANCED,
  RABBITMQ_FILES,
  RABBITMQ_PLUGINS,
  rabbitmqDefinitions,
  rabbitmqSettings,
} from '../../../broker/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { connectPlanner } from '../../api/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, listInput, portInput } from '../program/fleet-options.ts'
import { writeExport } from './export-files.ts'

export const rabbitmqExportCommand = defineCommand({
  path: 'broker export-rabbitmq',
  summary: 'Writes users, access rules, certificates and settings for RabbitMQ as the broker.',
  arguments: [{ name: 'dir', description: 'folder for them' }],
  options: [
    dataOption,
    { flags: '--name <names>', description: 'names and addresses RabbitMQ is reached under' },
    { flags: '--port <port>', description: 'for planners and devices', default: '8883' },
  ],
  example: 'fitment broker export-rabbitmq /etc/rabbitmq/fitment --name broker.plant-7.example',
  input: z.object({
    ...dataInput,
    dir: z.string(),
    name: listInput,
    port: portInput,
  }),
  run: async ({ data, dir: given, name: names, port }, io) => {
    const planner = connectPlanner(data)
    const { fleet } = await planner.call('planner.info', {})
    const tls = await planner.call('broker.credentials', { names })
    const dir = resolve(given)
    const known = tls.believed.filter(canUseRabbitmq)
    const leftOut = tls.believed.filter((device) => !canUseRabbitmq(device))
    const files: Record<keyof typeof RABBITMQ_FILES, string> = {
      settings: rabbitmqSettings(dir, { port }),
      plugins: RABBITMQ_PLUGINS,
      advanced: RABBITMQ_ADVANCED,
      definitions: rabbitmqDefinitions(fleet, known),
      authority: tls.authority,
      certificate: tls.certificate,
      key: tls.key,
    }
    await writeExport(dir, RABBITMQ_FILES, files)
    const host = names[0] ?? 'HOST'
    const definitions = join(dir, RABBITMQ_FILES.definitions)
    const told = {
      CONFIG: 'settings',
      ADVANCED_CONFIG: 'advanced',
      ENABLED_PLUGINS: 'plugins',
    } as const
    const environment = Object.entries(told).map(
      ([name, file]) => `RABBITMQ_${name}_FILE=${shellWord(join(dir, RABBITMQ_FILES[file]))}`,
    )
    if (leftOut.length > 0) {
      io.note(
        `warning: RabbitMQ parts topics by dots, so devices with one in their names cannot use it: ${leftOut.join(', ')}`,
      )
    }
    const shown = { dir, fleet, validUntil: tls.validUntil, devices: known.length, leftOut }
    io.result(shown, () =>
      [
        `${dir} holds settings, users and certificates for fleet ${fleet}, with ${known.length} devices:`,
        `  ${environment.join(' ')} rabbitmq-server`,
        `  fitment planner --fleet ${fleet} --broker mqtts://${host}:${port} --join-broker mqtts://${host}:${port}`,
        '',
        'RabbitMQ lets in only whom it knows: export again after fitment devices invite and fitment devices revoke, and tell it:',
        `  rabbitmqctl import_definitions ${shellWord(definitions)}`,
        'who was revoked is still known to it until then: rabbitmqctl delete_user DEVICE and close_all_user_connections DEVICE revoked',
        `its certificate ends ${tls.validUntil}; its key belongs to the user that RabbitMQ runs as`,
      ].join('\n'),
    )
    return 0
  },
})
