import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import type { PartTime } from '../../../shared/runtime/index.ts'
import { formatMs, formatPercent } from '../../../shared/units.ts'
import { cell } from '../print/figure.ts'
import { apart, facts, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { printEnergy, printPace, printSoak } from '../program/print-modes.ts'
import { soakInput } from '../program/probe-options.ts'
import { benchInChild } from './bench-child.ts'
import type { BenchRecord } from './bench-run.ts'
import { benchWithBestThreads } from './bench-threads.ts'
import { ENGINE_OPTIONS, engineFrom, engineInput } from './engine-options.ts'
import { readModelFile } from './model-file.ts'
import { SHAPE_OPTION, shapeInput } from './model-shapes.ts'
import { printDelegation } from './print-delegation.ts'

export const benchCommand = defineCommand({
  path: 'bench',
  summary:
    'Measures how fast a model runs on this machine, by the protocol that devices use in a probe.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  options: [
    {
      flags: '--data <file.npz>',
      description: 'real inputs to rotate; noise of a fixed seed where absent',
    },
    SHAPE_OPTION,
    ...ENGINE_OPTIONS,
    {
      flags: '--threads <n>',
      description: 'threads of the runtime; auto: tries which number, and which cores, are best',
      default: '1',
    },
    { flags: '--seconds <n>', description: 'most time to spend measuring', default: '10' },
    { flags: '--rate-hz <n>', description: 'also at the rate of the application, runs a second' },
    {
      flags: '--soak <duration>',
      description: 'also for so long without a pause, e.g. 60s: does it slow down?',
    },
    {
      flags: '--energy',
      description: 'also the energy of a run, where RAPL, an INA2xx or a battery tells it',
    },
    { flags: '--root <dir>', description: 'where /sys is found', default: '/' },
    {
      flags: '--profile',
      description:
        'then what takes the time, by the profiler of onnxruntime, openvino or a LiteRT library',
    },
  ],
  example: 'fitment bench int8.tflite --threads 2',
  input: z.object({
    model: z.string(),
    data: z.string().optional(),
    shape: shapeInput,
    ...engineInput,
    threads: z.union(
      [z.literal('auto'), wholeNumber({ least: 1, most: 256 })],
      'takes a number from 1 to 256, or auto',
    ),
    rateHz: decimal({ least: 0.5, most: 1000 }).optional(),
    soak: soakInput.optional(),
    energy: z.boolean().default(false),
    root: z.string(),
    seconds: decimal({ least: 0.5, most: 600 }),
    profile: z.boolean().default(false),
  }),
  run: async (input, io) => {
    const model = await readModelFile(input.model, input.shape)
    const engine = engineFrom(input, model.format)
    const progress = io.progress(`measuring ${input.model}`)
    const { threads, seconds, data, profile, rateHz, soak: soakMs, energy, root } = input
    const modes = { profile, rateHz, soakMs, energy, root }
    const request = { model: model.bytes, engine, data, seconds, ...modes }
    const afterBlock = (round: number) => progress.update(round, 0)
    const record =
      threads === 'auto'
        ? await benchWithBestThreads(request, afterBlock)
        : await benchInChild({ ...request, threads }, afterBlock)
    progress.end()
    io.result(record, () => forPeople(record))
    return 0
  },
})

function forPeople(record: BenchRecord): Page {
  const { runtime, library, delegates = [], threads, loadMs, firstMs, inputs, latency } = record
  const { p50Ms, p50Ci95, p90Ms, p99Ms, n } = latency
  const orTooFew = (ms: number | null) => (ms === null ? `too few runs (${n})` : formatMs(ms))
  const measured = facts(
    [
      [
        'runtime',
        `${runtime.name} ${runtime.version}, ${threads} thread${threads === 1 ? '' : 's'}, ${inputs} as input`,
      ],
      ...(library ? [['library', library.path]] : []),
      ...delegates.map((one) => ['delegate', printDelegation(one)]),
      ['load', formatMs(loadMs)],
      ['first inference', formatMs(firstMs)],
      ['p50', `${formatMs(p50Ms)}  (95 %: ${formatMs(p50Ci95[0])} – ${formatMs(p50Ci95[1])})`],
      ['p90', orTooFew(p90Ms)],
      ['p99', orTooFew(p99Ms)],
      ['runs', `${n}, stopped by ${latency.stopped}`],
      ...modeRows(record),
    ],
    ['MEASURE', 'VALUE'],
  )
  return record.parts ? apart(measured, partsTable(record.parts)) : measured
}

function modeRows({ paced, soak, energy, tried, cores }: BenchRecord): string[][] {
  const settings = (tried ?? []).map(
    (one) =>
      `${one.threads}${one.cores ? ` on cores ${one.cores.join(',')}` : ''}: ${formatMs(one.p50Ms)}`,
  )
  return [
    ...(tried ? [['threads tried', settings.join(', ')]] : []),
    ...(cores ? [['kept on cores', cores.join(',')]] : []),
    ...(paced?.pace ? [['p50 paced', `${formatMs(paced.p50Ms)} ${printPace(paced.pace)}`]] : []),
    ...(energy ? [['energy', printEnergy(energy)]] : []),
    ...(energy === null
      ? [['energy', 'no meter that can be read: RAPL, INA2xx or a battery']]
      : []),
    ...(soak ? [['soak', printSoak(soak)]] : []),
  ]
}

function partsTable(parts: readonly PartTime[]): Page {
  const whole = parts.reduce((sum, { ms }) => sum + ms, 0)
  return table(
    ['BY', 'OPERATOR', 'IN A RUN', 'TIME', 'SHARE'],
    parts.map(({ by, kind, count, ms }) => [
      by,
      kind,
      String(Math.round(count)),
      cell(ms, formatMs),
      cell(whole > 0 ? ms / whole : 0, formatPercent),
    ]),
  )
}
