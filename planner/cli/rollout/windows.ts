import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { nameSchema } from '../../../shared/ids.ts'
import { parseDays, requireZone, windowSchema } from '../../../shared/windows/index.ts'
import { connectPlanner, type OperationOutput } from '../../api/index.ts'
import { type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, whereInput, whereOption } from '../program/fleet-options.ts'

const name = { name: 'name', description: 'name of the window' }

export const windowsSetCommand = defineCommand({
  path: 'windows set',
  summary:
    'Says when devices may switch: they fetch and verify at once, and wait for the hour. Several windows: any of them.',
  arguments: [name],
  options: [
    dataOption,
    { ...whereOption, description: `the devices it is for, e.g. 'site=hall-2'` },
    { flags: '--from <time>', description: 'when it opens, e.g. 02:00' },
    { flags: '--to <time>', description: 'when it closes; not later than --from: the next day' },
    {
      flags: '--days <days>',
      description: 'days on which it opens, e.g. mon-fri',
      default: 'daily',
    },
    {
      flags: '--zone <zone>',
      description: 'e.g. Europe/Berlin; where each device stands if absent',
    },
  ],
  example:
    "fitment windows set nights --where 'site=hall-2' --days mon-fri --from 22:00 --to 04:00",
  input: z.object({
    ...dataInput,
    name: nameSchema,
    where: whereInput,
    from: z.string('say when it opens, e.g. --from 02:00'),
    to: z.string('say when it closes, e.g. --to 04:00'),
    days: z.string(),
    zone: z.string().optional(),
  }),
  run: async ({ data, name: called, where, from, to, days, zone }, io) => {
    if (where === undefined) throw new UsageError("say for whom, e.g. --where 'site=hall-2'")
    if (zone !== undefined) requireZone(zone)
    const said = { days: [...parseDays(days)], from, to, zone: zone ?? null }
    const window = windowSchema.safeParse(said)
    if (!window.success) {
      const isEmpty = from === to ? 'a window that ends when it begins never opens' : undefined
      throw new UsageError(
        isEmpty ?? `"${from}" to "${to}" are no times: write e.g. 02:00 and 04:00`,
      )
    }
    const asked = { name: called, where, window: window.data }
    const set = await connectPlanner(data).call('windows.set', asked)
    io.result(set, () => windowTable([set]))
    return 0
  },
})

export const windowsListCommand = defineCommand({
  path: 'windows list',
  summary: 'Lists the windows of maintenance, and how many devices each is for.',
  options: [dataOption],
  example: 'fitment windows list',
  lists: true,
  watched: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const all = await connectPlanner(data).call('windows.list', {})
    io.result(all, () =>
      all.length > 0 ? windowTable(all) : 'no window: devices switch at any time',
    )
    return 0
  },
})

export const windowsRemoveCommand = defineCommand({
  path: 'windows remove',
  summary: 'Removes a window; what was told to wait for it still does.',
  arguments: [name],
  options: [dataOption],
  example: 'fitment windows remove nights',
  input: z.object({ ...dataInput, name: nameSchema }),
  run: async ({ data, name: called }, io) => {
    const gone = await connectPlanner(data).call('windows.remove', { name: called })
    io.result(gone, () => `${gone.name} is no window any more`)
    return 0
  },
})

function windowTable(windows: OperationOutput<'windows.list'>): Page {
  return table(
    ['WINDOW', 'WHERE', 'HOURS', 'DEVICES', 'KEPT BY'],
    windows.map(({ name: called, where, hours, devices, keptThere }) => [
      called,
      where,
      hours,
      String(devices),
      keptThere === devices ? 'the devices' : `${keptThere} devices, the planner for the rest`,
    ]),
  )
}
