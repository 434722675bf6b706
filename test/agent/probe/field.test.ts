import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type FieldRequest, type ProbeRequest, runField } from '../../../agent/probe/index.ts'
import { writeNpz } from '../../../shared/dataset/index.ts'
import { probeRecordSchema } from '../../../shared/measure/records.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelPath } from '../../fixture-models.ts'
import { buildTflite, dense } from '../../planner/quantizer/model-builder.ts'

t.setTimeout(240_000)

const folder = t.testdir({ 'garbage.tflite': 'this is no model but long enough to look at' })
const data = join(folder, 'data.npz')
const samples = 24
const x = Float32Array.from({ length: 4 * samples }, (_, i) => (i % 13) / 7 - 1)
await writeNpz(data, [
  ['x', tensor('float32', [samples, 4], x)],
  ['reference', tensor('float32', [samples, 3], new Float32Array(samples * 3).fill(1 / 3))],
])

const entrant = (file: string, more: Partial<ProbeRequest> = {}): ProbeRequest => ({
  modelPath: modelPath(file),
  engine: { runtime: 'litert' },
  threads: 1,
  datasetPath: data,
  baseline: null,
  measureMs: 200,
  timeoutMs: 60_000,
  memoryLimitBytes: null,
  root: '/',
  ...more,
})

const float = { modelPath: modelPath('dense.tflite'), engine: { runtime: 'litert' } } as const

const field = (entrants: readonly ProbeRequest[], more: Partial<FieldRequest> = {}) =>
  runField({ entrants, beside: entrants.map(() => null), measureMs: 600, ...more })

t.test('each has its own answers and memory, and is measured beside all others', async (t) => {
  const int8 = entrant('dense-int8.tflite')
  const other = entrant('dense-int8.tflite', { answersMs: 0 })
  const outcomes = await field([int8, entrant('dense.tflite'), other], { beside: [1, null, 1] })
  const records = outcomes.map((one) => ('record' in one ? one.record : undefined))
  for (const record of records) {
    t.same(probeRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
    t.ok((record?.latency.n ?? 0) >= 10)
    t.ok((record?.memory?.overBaseBytes ?? 0) > 5e6, 'of a process of its own')
  }
  t.same(
    records.map((record) => record?.quality.samples),
    [samples, samples, 1],
    'what is known of answers is not asked again',
  )
  t.equal(records[1]?.ratioToBaseline, null)
  const [first] = outcomes
  const met = first && 'ratios' in first ? first.ratios : []
  t.same(records[0]?.ratioToBaseline, met[1], 'what people see it beside is one of them')
  t.same(
    met.map((ratio) => ratio === null),
    [true, false, false],
  )
})

/** Some millions of multiply-adds more than the others. */
function slowModel(): string {
  const width = 1500
  const constant = (shape: [number, number]) => ({
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => ((i % 7) - 3) / 1e4),
  })
  const bytes = buildTflite({
    inputs: { x: [1, 4] },
    constants: {
      first: constant([width, 4]),
      middle: constant([width, width]),
      last: constant([3, width]),
    },
    operators: [
      dense('x', 'first', 'a', width),
      dense('a', 'middle', 'b', width),
      dense('b', 'last', 'y', 3),
    ],
    outputs: ['y'],
  })
  const path = join(folder, 'slow.tflite')
  writeFileSync(path, bytes)
  return path
}

t.test('where latency decides, who is surely behind answers one sample', async (t) => {
  const slow = entrant('', { modelPath: slowModel() })
  const known = entrant('dense.tflite', { answersMs: 0 })
  const all = [entrant('dense-int8.tflite'), slow, known]
  const outcomes = await field(all, { decides: [0.95, 1.05], beside: [2, 2, null] })
  const records = outcomes.map((one) => ('record' in one ? one.record : undefined))
  const [first, behind] = records
  t.same(probeRecordSchema.parse(JSON.parse(JSON.stringify(behind))), behind)
  t.ok(behind?.flags.includes('behind'))
  t.equal(behind?.quality.samples, 1)
  t.ok((behind?.memory?.overBaseBytes ?? 0) > 0 && (behind?.latency.n ?? 0) >= 6)
  t.ok((behind?.ratioToBaseline?.ci95[0] ?? 0) > 2, 'people see it beside another all the same')
  t.ok(first?.flags.includes('behind') === false)
  t.equal(first?.quality.samples, samples, 'who may win answers all')
  t.ok((first?.memory?.overBaseBytes ?? 0) > 5e6, 'in a process of its own')
  const undecided = await field(all)
  t.same(
    undecided.slice(0, 2).map((one) => 'record' in one && one.record.quality.samples),
    [samples, samples],
    'where it does not, all are asked',
  )
})

t.test('one that does not load keeps nobody else from being measured', async (t) => {
  const garbage = entrant('', { modelPath: join(folder, 'garbage.tflite') })
  const all = [garbage, entrant('dense-int8.tflite'), entrant('dense.tflite')]
  const outcomes = await field(all, { decides: [0.95, 1.05] })
  t.match(outcomes, [
    { error: { code: /.+/ } },
    { record: { quality: { samples } } },
    { record: { quality: { samples } } },
  ])
})

t.test('who races and does not fit beside the others is measured as by itself', async (t) => {
  const phases: string[] = []
  const limit = { memoryLimitBytes: 4 * 1024 ** 3 }
  const missing = { ...float, modelPath: join(folder, 'gone.tflite') }
  const first = entrant('dense-int8.tflite', { ...limit, baseline: missing })
  const all = [first, entrant('dense.tflite', limit), entrant('dense.tflite', limit)]
  const outcomes = await runField(
    { entrants: all, beside: ['baseline', null, null], measureMs: 300, decides: [0.95, 1.05] },
    { onPhase: (phase) => phases.push(phase) },
  )
  const notBeside = { error: { code: 'not-beside' } }
  t.match(outcomes, [{ record: { ratioToBaseline: null } }, notBeside, notBeside])
  // Who is looked at by itself answers before anything else is loaded.
  const together = phases.join(' ').match(/loading first-run loading first-run loading first-run/g)
  t.equal(together?.length, 1, 'what came to nothing once is not tried again')
})

t.test('whose answers are known is not looked at again a moment later', async (t) => {
  const files = ['dense.tflite', 'dense-int8.tflite']
  await field(files.map((file) => entrant(file)))
  const outcomes = await field(files.map((file) => entrant(file, { answersMs: 0 })))
  t.same(
    outcomes.map((one) => 'record' in one && one.record.quality.samples),
    [samples, samples],
    'a look would have answered one',
  )
})

t.test(
  'what does not run is its own failure, and the rest is measured beside a baseline',
  async (t) => {
    const garbage = entrant('', { modelPath: join(folder, 'garbage.tflite') })
    const outcomes = await field([entrant('dense-int8.tflite', { baseline: float }), garbage], {
      beside: ['baseline', 'baseline'],
    })
    t.match(outcomes, [{ record: { ratioToBaseline: { p50: Number } } }, { error: { code: /.+/ } }])
  },
)

t.test('where they do not fit together the first is measured as by itself', async (t) => {
  const limit = { memoryLimitBytes: 4 * 1024 ** 3 }
  const missing = { ...float, modelPath: join(folder, 'gone.tflite') }
  const first = entrant('dense-int8.tflite', { ...limit, baseline: missing })
  const outcomes = await field([first, entrant('dense.tflite', limit)], {
    beside: ['baseline', null],
  })
  t.match(outcomes, [{ record: { ratioToBaseline: null } }, { error: { code: 'not-beside' } }])
  const [alone] = outcomes
  t.ok(alone && 'record' in alone && alone.record.flags.includes('no-room-for-baseline'))
})

t.test('a field that is cancelled ends, and leaves nothing', async (t) => {
  const abort = new AbortController()
  const running = runField(
    {
      entrants: [entrant('dense-int8.tflite'), entrant('dense.tflite')],
      beside: [null, null],
      measureMs: 60_000,
    },
    { signal: abort.signal, onPhase: (phase) => phase === 'measuring' && abort.abort() },
  )
  await t.rejects(running, { code: 'cancelled' })
})
