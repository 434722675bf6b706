import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { parseLabel, requireKey } from '../../../shared/labels.ts'
import { connectPlanner } from '../../api/index.ts'
import { printSelector } from '../../groups/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, whereInput, whereOption } from '../program/fleet-options.ts'
import { listOf } from './devices.ts'

export const devicesLabelCommand = defineCommand({
  path: 'devices label',
  summary:
    'Labels devices: names first, then KEY=VALUE, or KEY- to take one away; goes before what they say of themselves.',
  arguments: [{ name: 'words', description: 'names of devices, then labels', variadic: true }],
  options: [
    dataOption,
    { ...whereOption, description: `${whereOption.description}; no names then` },
  ],
  example: 'fitment devices label press-7 press-8 site=hall-2 line-',
  input: z.object({ ...dataInput, words: z.array(z.string()), where: whereInput }),
  run: async ({ data, words, where }, io) => {
    const { devices, labels } = readWords(words)
    if ((devices.length === 0) === (where === undefined)) {
      throw new UsageError(
        'say which devices: by their names before the labels, or with --where, one of both',
      )
    }
    const done = await connectPlanner(data).call('devices.label', {
      devices,
      labels,
      ...(where && { where }),
    })
    if (where && done.devices.length === done.of) {
      io.note(`note: ${printSelector(where)} matches every device, all ${done.of}`)
    }
    for (const { id, overruled, labels: counts } of done.devices) {
      for (const key of Object.keys(labels)) {
        const own = overruled[key]
        if (own !== undefined) io.note(`note: ${id} itself says ${key}=${own}; yours counts`)
        if (labels[key] === null && counts[key] !== undefined) {
          io.note(
            `note: ${id} itself says ${key}=${counts[key]}, which counts now: say otherwise with ${key}=VALUE, or change its settings`,
          )
        }
      }
    }
    io.result(done, () => listOf(done.devices))
    return 0
  },
})

function readWords(words: readonly string[]) {
  const first = words.findIndex((word) => word.includes('=') || word.endsWith('-'))
  const devices = first < 0 ? [...words] : words.slice(0, first)
  const changes = first < 0 ? [] : words.slice(first)
  if (changes.length === 0) throw new UsageError('say a label: KEY=VALUE, or KEY- to take one away')
  const wrong = devices.find((name) => !deviceIdSchema.safeParse(name).success)
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no name of a device`)
  const labels: Record<string, string | null> = {}
  for (const word of changes) {
    const isAway = !word.includes('=') && word.endsWith('-')
    const [key, value] = isAway ? [word.slice(0, -1), null] : parseLabel(word)
    requireKey(key, word)
    if (Object.hasOwn(labels, key)) throw new UsageError(`${key} is said twice`)
    labels[key] = value
  }
  return { devices, labels }
}

const device = { name: 'device', description: 'name of the device' }
const reasonOption = {
  flags: '--reason <text>',
  description: 'for the audit log',
  default: 'not said',
}
const goneInput = { ...dataInput, device: deviceIdSchema, reason: z.string().max(200) }

export const devicesRetireCommand = defineCommand({
  path: 'devices retire',
  summary:
    'Takes a device out of service: it is in no count, no rollout and no measurement until --undo.',
  arguments: [device],
  options: [dataOption, reasonOption, { flags: '--undo', description: 'back into service' }],
  example: 'fitment devices retire press-12 --reason "scrapped"',
  input: z.object({ ...goneInput, undo: z.boolean().default(false) }),
  run: async ({ data, ...input }, io) => {
    const done = await connectPlanner(data).call('devices.retire', input)
    const { device: id, undo } = input
    io.result(done, () => {
      if (!done.changed) return `${id} is ${undo ? 'in service' : 'retired'} already`
      return undo
        ? `${id} is in service again`
        : `${id} is out of service; it keeps what it runs, and fitment devices --all shows it`
    })
    return done.changed ? 0 : 1
  },
})

export const devicesRemoveCommand = defineCommand({
  path: 'devices remove',
  summary:
    'Forgets a device: certificates, labels, record; the audit keeps it. It joins again with a new token only.',
  arguments: [device],
  options: [dataOption, reasonOption],
  example: 'fitment devices remove press-12 --reason "sold"',
  input: z.object(goneInput),
  run: async ({ data, ...input }, io) => {
    const done = await connectPlanner(data).call('devices.remove', input)
    io.result(
      done,
      () => `${done.device} is forgotten; fitment audit ${done.device} still tells of it`,
    )
    return 0
  },
})
