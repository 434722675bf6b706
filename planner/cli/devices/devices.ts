import { z } from 'zod'
import { shortDigest } from '../../../shared/digest.ts'
import { modelNameSchema } from '../../../shared/ids.ts'
import { printLabels } from '../../../shared/labels.ts'
import { acceleratorOf, type EngineEntry, engineName } from '../../../shared/messages/index.ts'
import { isPackageName } from '../../../shared/trust/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type DeviceView, type OperationOutput } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { facts, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, whereInput, whereOption } from '../program/fleet-options.ts'

const STATES = ['online', 'offline'] as const
const HEALTHS = ['good', 'alarm'] as const

export const devicesCommand = defineCommand({
  path: 'devices',
  summary: 'Lists the devices of the fleet; with a name, everything known of one.',
  arguments: [{ name: 'device', description: 'name of a device', optional: true }],
  options: [
    dataOption,
    whereOption,
    { flags: '--name <part>', description: 'only those with this in their name' },
    { flags: '--class <class>', description: 'only of this board, or of one class of it' },
    { flags: '--state <state>', description: 'only those', choices: STATES },
    { flags: '--health <health>', description: 'only those', choices: HEALTHS },
    { flags: '--model <model>', description: 'only those that run it' },
    { flags: '--all', description: 'retired ones too' },
  ],
  example: "fitment devices --where 'site=hall-2'",
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    device: z.string().optional(),
    where: whereInput,
    name: z.string().max(64).optional(),
    class: z.string().max(128).optional(),
    state: z.enum(STATES).optional(),
    health: z.enum(HEALTHS).optional(),
    model: modelNameSchema.optional(),
    all: z.boolean().default(false),
  }),
  run: async ({ data, device, name: q, ...filters }, io) => {
    const planner = connectPlanner(data)
    if (device === undefined) {
      const listed = await planner.call('devices.list', { ...filters, q })
      io.result(listed, () => (listed.length > 0 ? listOf(listed) : nobody(filters, q)))
      return 0
    }
    const one = await planner.call('devices.show', { device })
    io.result(one, () => detailOf(one))
    return 0
  },
})

function nobody({ all: _, ...filters }: object & { all?: boolean }, q: string | undefined): string {
  const isAsked = Object.values({ ...filters, q }).some((value) => value !== undefined)
  return isAsked ? 'no device is like that' : 'no device has joined yet'
}

export function listOf(devices: readonly DeviceView[]): Page {
  return table(
    [
      'DEVICE',
      'STATE',
      'CLASS',
      'BOARD',
      'RUNTIMES',
      'STORAGE',
      'MEMORY',
      'LABELS',
      'SEEN',
      'AGENT',
      'RUNS',
      'HEALTH',
    ],
    devices.map((device) => [
      device.id,
      stateOf(device),
      device.class ?? '—',
      device.emulated ? `${device.board} (emulated)` : device.board,
      device.runtimes.map(shortEngine).join(' ') || 'none',
      cell(device.storageRoom, formatBytes),
      cell(device.memoryRoom, formatBytes),
      printLabels(device.labels) || '—',
      device.online ? 'now' : device.lastSeen.slice(0, 16).replace('T', ' '),
      device.agentVersion,
      runs(device),
      healthOf(device),
    ]),
    { spare: ['AGENT', 'STORAGE', 'MEMORY', 'BOARD', 'RUNTIMES', 'SEEN', 'LABELS'] },
  )
}

function detailOf(device: OperationOutput<'devices.show'>): Page {
  const { report } = device
  return facts([
    ['device', device.id],
    ['state', `${stateOf(device)} (last seen ${device.lastSeen})`],
    ...(device.doubleSeen === null
      ? []
      : [
          [
            'two machines',
            `use this identity, last seen ${device.doubleSeen}: stop one, empty its state directory, and let it join as another: fitment devices invite --device NAME`,
          ],
        ]),
    ...(device.retired
      ? [['retired', `${device.retired.at} by ${device.retired.by}: ${device.retired.reason}`]]
      : []),
    ['labels', printLabels(device.labels) || 'none'],
    ...(Object.keys(device.overruled).length > 0
      ? [['overruled', `its own settings say ${printLabels(device.overruled)}`]]
      : []),
    ['class', device.class ?? '—'],
    ...device.reasons.map((reason) => ['because', reason]),
    ['board', device.emulated ? `${device.board} (emulated identity)` : device.board],
    ['processor', `${report.cpu.model}, ${report.cpu.cores} cores, ${report.architecture}`],
    ['features', report.cpu.features.join(' ') || 'none that matter'],
    ['accelerators', report.accelerators.map(({ kind }) => kind).join(' ') || 'none'],
    ...(device.runtimes.length === 0 ? [['runtime', 'none']] : []),
    ...device.runtimes.map((engine) => ['runtime', longEngine(engine)]),
    ...device.engineNotes.unusable.map(({ name, message }) => ['not used', `${name}: ${message}`]),
    ...device.engineNotes.proposed.map(({ name, path }) => [
      'found',
      `${name}: ${path}, which the agent was not told to use`,
    ]),
    ['agent', device.agentVersion],
    ['system', `${report.os.distribution ?? 'unknown'}, kernel ${report.os.kernel}`],
    ['runs', runs(device)],
    ['health', healthOf(device, true)],
  ])
}

function shortEngine(engine: EngineEntry): string {
  return engineName(engine.name, acceleratorOf(engine))
}

function longEngine(engine: EngineEntry): string {
  const { version, library, delegates = [] } = engine
  const where = library ? `, ${library.path} (${shortDigest(library.digest)})` : ''
  const asked = delegates.map(({ name, path }) => `; ${name}: ${path}`).join('')
  return `${shortEngine(engine)} ${version}${where}${asked}`
}

function stateOf({
  online,
  revoked,
  retired,
  garbage,
  garbageNote,
  doubleSeen,
}: DeviceView): string {
  const state = retired ? 'retired' : revoked ? 'revoked' : online ? 'online' : 'offline'
  const double = doubleSeen === null ? '' : ', two machines with this identity'
  const unread = garbage > 0 ? `, ${garbage} unreadable messages (${garbageNote})` : ''
  return `${state}${double}${unread}`
}

/** `—` where no application tells anything. */
function healthOf({ id, healthToldAt, alarms }: DeviceView, isDetailed = false): string {
  if (healthToldAt === null && alarms === 0) return '—'
  const state = alarms === 0 ? 'good' : `${alarms} alarm${alarms === 1 ? '' : 's'}`
  if (!isDetailed) return state
  const advice = alarms === 0 ? '' : `; see fitment alarms, device ${id}`
  return `${state}, last told ${healthToldAt ?? 'never'}${advice}`
}

function runs({ installed }: DeviceView): string {
  const active = installed.filter((slot) => slot.active && !isPackageName(slot.model))
  return (
    active
      .map(({ model, revision, scheme }) =>
        revision === null
          ? `${model}: ${scheme ?? 'unknown'}`
          : `${model}: revision ${revision}, ${scheme}`,
      )
      .join('; ') || '—'
  )
}
