import { z } from 'zod'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type OperationOutput } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { apart, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

export const classesCommand = defineCommand({
  path: 'classes',
  summary: 'Lists the device classes there are; with a name, why its devices belong to it.',
  arguments: [{ name: 'class', description: 'name of a class', optional: true }],
  options: [dataOption],
  example: 'fitment classes raspberry-pi-4',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, class: z.string().optional() }),
  run: async ({ data, class: id }, io) => {
    const planner = connectPlanner(data)
    if (id === undefined) {
      const all = await planner.call('classes.list', {})
      io.result(all, () => (all.length > 0 ? listOf(all) : 'no device has joined yet'))
      return 0
    }
    const one = await planner.call('classes.show', { class: id })
    io.result(one, () => detailOf(one))
    return 0
  },
})

function listOf(classes: OperationOutput<'classes.list'>): Page {
  return table(
    ['CLASS', 'BOARDS', 'DEVICES', 'RUNTIMES', 'NUMERICS', 'STORAGE', 'MEMORY'],
    classes.map((one) => [
      one.id,
      one.name ?? 'no profile fits',
      `${one.devices} (${one.online} online)`,
      one.runtimes.join(' ') || 'none',
      one.features.join(' ') || '—',
      cell(one.storageBytes, formatBytes),
      cell(one.memoryBytes, formatBytes),
    ]),
    { spare: ['NUMERICS', 'STORAGE', 'MEMORY', 'BOARDS'] },
  )
}

function detailOf(one: OperationOutput<'classes.show'>): Page {
  const members = one.members.map(({ device, online, reasons }) => [
    device,
    online ? 'online' : 'offline',
    reasons.join('; '),
  ])
  const models = one.models.map(({ model, revision, stage, why }) => [
    ...[model, String(revision), stage, why],
  ])
  return apart(
    listOf([one]),
    ...(members.length > 0
      ? [table(['DEVICE', 'STATE', 'WHY THIS CLASS'], members, { main: true })]
      : []),
    ...(models.length > 0 ? [table(['MODEL', 'REV', 'STAGE', 'WHY'], models)] : []),
    ...(one.speeds.length > 0 ? [one.speeds.join('\n')] : []),
    ...(one.notes.length > 0 ? [one.notes.map((note) => `note: ${note}`).join('\n')] : []),
  )
}
