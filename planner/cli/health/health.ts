import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { formatMs, formatPercent, formatRatio } from '../../../shared/units.ts'
import { connectPlanner, type DeviceHealth, type HealthView } from '../../api/index.ts'
import { type Cell, cell } from '../print/figure.ts'
import { apart, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, whereInput, whereOption } from '../program/fleet-options.ts'

export const healthCommand = defineCommand({
  path: 'health',
  summary:
    'Shows how a model does in the field: drift, latency, surroundings, by device and by day.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    { flags: '--device <id>', description: 'only of this device' },
    { flags: '--class <name>', description: 'only of devices of this class' },
    whereOption,
    { flags: '--days <n>', description: 'days to show, 35 at most', default: '7' },
  ],
  example: "fitment health motor --where 'site=hall-2'",
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    model: z.string(),
    device: z.string().optional(),
    class: z.string().optional(),
    where: whereInput,
    days: wholeNumber({ least: 1, most: 35 }),
  }),
  run: async ({ data, model, device, class: of, where, days }, io) => {
    const view = await connectPlanner(data).call('health', {
      ...{ model, days },
      ...(device !== undefined && { device }),
      ...(of !== undefined && { class: of }),
      ...(where !== undefined && { where }),
    })
    io.result(view, () => printHealth(view))
    return view.alarms === 0 ? 0 : 1
  },
})

export const alarmsCommand = defineCommand({
  path: 'alarms',
  summary:
    'Lists what has gone wrong with models on devices; rules are in alarms.json of the data directory.',
  arguments: [{ name: 'model', description: 'only of this model', optional: true }],
  options: [
    dataOption,
    { flags: '--device <id>', description: 'only of this device' },
    { flags: '--all', description: 'those that are over, too' },
  ],
  example: 'fitment alarms motor --all',
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    model: z.string().optional(),
    device: deviceIdSchema.optional(),
    all: z.boolean().default(false),
  }),
  run: async ({ data, ...query }, io) => {
    const rows = await connectPlanner(data).call('alarms.list', query)
    io.result(rows, () =>
      rows.length === 0
        ? 'no alarm is raised'
        : table(
            ['MODEL', 'REV', 'DEVICE', 'RULE', 'STATE', 'SINCE', 'OVER', 'EVIDENCE'],
            rows.map((row) => [
              ...[row.model, cell(row.revision, String), row.device, row.rule, row.state],
              ...[row.raisedAt ?? '', (row.state === 'raised' ? null : row.clearedAt) ?? ''],
              row.evidence,
            ]),
            { spare: ['OVER', 'REV'] },
          ),
    )
    return rows.some(({ state }) => state === 'raised') ? 1 : 0
  },
})

function printHealth({ model, devices, days, alarms }: HealthView): Page {
  if (devices.length === 0)
    return `no device has told of ${model} yet: its applications tell the agent by observe, and the agent the planner once an hour`
  const tail = alarms === 0 ? '' : `${alarms} alarms are raised: fitment alarms ${model}`
  return apart(
    table(
      [
        ...['DEVICE', 'REV', 'SCHEME', 'INFERENCES', 'DRIFT', 'FURTHEST', 'P50', 'P95', 'P99'],
        ...['P95/PROBE', 'NOT FINITE', 'HOTTEST', 'RESTARTS', 'CHECK', 'TOLD', 'NOTE'],
      ],
      devices.map(rowOf),
      {
        spare: [
          ...['RESTARTS', 'NOT FINITE', 'P99', 'HOTTEST', 'TOLD', 'FURTHEST', 'SCHEME', 'P50'],
          ...['CHECK', 'INFERENCES', 'REV'],
        ],
      },
    ),
    table(
      [
        'DAY',
        'REV',
        'SCHEME',
        'DEVICES',
        'INFERENCES',
        'DRIFT',
        'FURTHEST',
        'P50',
        'P95',
        'P99',
        'HOTTEST',
      ],
      days.map((day) => [
        ...[day.day, cell(day.revision, String), cell(day.scheme, String)],
        ...[String(day.devices), String(day.inferences)],
        ...[cell(day.drift, two), cell(day.worst, String)],
        ...[cell(day.p50Ms, formatMs), cell(day.p95Ms, formatMs), cell(day.p99Ms, formatMs)],
        cell(day.hottestCelsius, celsius),
      ]),
      { spare: ['HOTTEST', 'P99', 'FURTHEST', 'SCHEME', 'P50'] },
    ),
    tail,
  )
}

function rowOf(row: DeviceHealth): Cell[] {
  const { check, worst } = row
  return [
    ...[row.device, cell(row.revision, String), cell(row.scheme, String), String(row.inferences)],
    ...[cell(row.drift, two), cell(worst[0]?.name, String)],
    ...[cell(row.p50Ms, formatMs), cell(row.p95Ms, formatMs), cell(row.p99Ms, formatMs)],
    ...[cell(row.p95Ratio, formatRatio), cell(row.notFinite, formatPercent)],
    ...[cell(row.hottestCelsius, celsius), String(row.restarts)],
    ...[check ? (check.ok ? 'good' : `failed: ${check.detail}`) : '—', row.receivedAt, noteOf(row)],
  ]
}

/** A report may be on its way for as long as the device is offline: only what is ahead, or years behind, is a wrong clock. */
const AHEAD_S = 300
const BEHIND_S = 30 * 86_400

function noteOf({ foreign, clockOffS }: DeviceHealth): string {
  const notes = [
    ...(foreign > 0 ? [`${foreign} of another model or variant`] : []),
    ...(clockOffS > AHEAD_S || clockOffS < -BEHIND_S
      ? [`its clock is ${Math.abs(clockOffS)} s ${clockOffS > 0 ? 'ahead' : 'behind'}`]
      : []),
  ]
  return notes.join('; ')
}

const two = (value: number) => value.toFixed(2)
const celsius = (value: number) => `${value.toFixed(0)} °C`
