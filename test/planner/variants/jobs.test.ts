import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { writeOnnx } from '../../../planner/formats/onnx/index.ts'
import { leastBytes } from '../../../planner/variants/candidates.ts'
import { prepare } from '../../../planner/variants/prepare.ts'
import { runJob } from '../../../planner/variants/run-job.ts'
import { formatNpz, readDataset, toArrays } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadInProcess } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { modelPath } from '../../fixture-models.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'
import { smallOnnx } from '../formats/onnx/small-onnx.ts'
import { fewSamples, SMALL_MODEL } from './small-model.ts'

async function files(t: Test) {
  const dir = t.testdir({ out: {} })
  const calibration = join(dir, 'calibration.npz')
  const test = join(dir, 'test.npz')
  writeFileSync(calibration, await fewSamples('calibration', 24))
  writeFileSync(test, await fewSamples('test', 48))
  return { dir, calibration, test, out: join(dir, 'out') }
}

/** Processes of this one, as their command lines. */
function children(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map((pid) => `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`)
    .sort()
}

/** Where there is a second processor a process for builds is started while a model is registered. */
const SPARE = availableParallelism() > 1 ? 1 : 0

const floats = (shape: number[], fill: (i: number) => number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return { type: 'float32', shape, data: Float32Array.from({ length: size }, (_, i) => fill(i)) }
}

t.test(
  'prepare, build, evaluate: a variant from a source, each step in a process of jobs',
  async (t) => {
    const { calibration, test, out } = await files(t)
    const seen: string[] = []
    const prepared = await runJob(
      'prepare',
      { source: SMALL_MODEL, calibration, test, out },
      {
        onProgress: (done, total) => seen.push(`${done}/${total}`),
      },
    )
    t.match(prepared, {
      facts: { format: 'tflite', bytes: readFileSync(SMALL_MODEL).length, quantizedElements: 0 },
      calibrationSamples: 24,
      testSamples: 48,
      labelled: true,
      findings: [],
      wholeQuality: { samples: 48, agreement: 1 },
    })
    t.equal(seen.at(-1), '48/48')
    const expecting = children().filter((line) => line.trim().endsWith(' build'))
    t.equal(expecting.length, SPARE, 'what builds need was loaded meanwhile')
    const { facts } = prepared
    t.ok(facts.floatElements >= facts.integerElements && facts.integerElements > 1000)
    t.ok(facts.bytes > 4 * facts.floatElements)
    const slice = await readDataset(prepared.slice)
    t.ok(slice.references.size === 1 && slice.labels?.length === slice.samples)

    const built = await runJob('build', {
      source: SMALL_MODEL,
      calibration,
      scheme: 'static-w8a8',
      runtime: 'litert',
      out,
    })
    t.ok(readFileSync(built.file).length < facts.bytes / 2)
    t.ok(built.losses.length > 0, 'layers that lost are told')
    t.ok(
      leastBytes(facts, { scheme: 'static-w8a8', runtime: 'litert' }) <=
        readFileSync(built.file).length,
    )
    const { whole, slice: files2 } = prepared
    const answers = await runJob('evaluate', {
      variant: built.file,
      runtime: 'litert',
      whole,
      slice: files2,
      out,
    })
    t.equal(answers.whole.samples, 48)
    t.ok((answers.whole.agreement ?? 0) > 0.8)
    const selfTest = await readDataset(answers.selfTest)
    t.match(
      { samples: selfTest.samples, references: selfTest.references.size },
      { samples: 8, references: 1 },
    )
  },
)

t.test('a metric goes with the data: host and devices judge by it', async (t) => {
  const { calibration, test, out } = await files(t)
  const source = SMALL_MODEL
  const prepared = await runJob('prepare', { source, calibration, test, metric: 'top-5', out })
  const { metric } = prepared.wholeQuality
  t.match(metric, { text: 'top-5', direction: 'higher', unit: 'share', reference: metric?.value })
  t.ok((metric?.value ?? 0) >= (prepared.wholeQuality.accuracy ?? 1))
  t.equal(prepared.labelled, true)
  const { whole, slice } = prepared
  // As a device does it, which is told nothing but the data.
  const runtime = await loadInProcess('litert')
  const session = await runtime.load(readFileSync(source))
  const onDevice = await evaluate(session, await readDataset(slice))
  await session.close()
  t.match(onDevice.metric, { text: 'top-5', value: prepared.sliceQuality.metric?.value })
  const common = { source, calibration, runtime: 'litert' } as const
  const tuned = { tuning: { maxDrop: 0.01 }, test: whole }
  const built = await runJob('build', { ...common, scheme: 'static-w8a8-mixed', tuned, out })
  t.match(built.findings.find(({ code }) => code === 'budget-held')?.message, /of top-5 is lost/)
  const variant = built.file
  const answers = await runJob('evaluate', { variant, runtime: 'litert', whole, slice, out })
  t.equal(answers.whole.metric?.text, 'top-5')
  t.equal(answers.whole.metric?.reference, metric?.value)
  await t.rejects(runJob('prepare', { source, calibration, test, metric: 'map', out }), {
    code: 'missing-labels',
    message: /y\.boxes/,
  })
})

t.test(
  'a .tflite source becomes an .onnx variant, measured against the same answers',
  async (t) => {
    const { calibration, test, out } = await files(t)
    const prepared = await runJob('prepare', { source: SMALL_MODEL, calibration, test, out })
    t.match(prepared.facts.onnx, { opset: 17 })
    for (const [scheme, agreement] of [
      ['float32', 1],
      ['static-w8a8-u8s8', 0.8],
    ] as const) {
      const runtime = 'onnxruntime'
      const built = await runJob('build', {
        source: SMALL_MODEL,
        calibration,
        scheme,
        runtime,
        out,
      })
      t.match(built.file, /model\.onnx$/)
      const { whole, slice } = prepared
      const answers = await runJob('evaluate', { variant: built.file, runtime, whole, slice, out })
      t.ok((answers.whole.agreement ?? 0) >= agreement, `${scheme}: ${answers.whole.agreement}`)
    }
  },
)

t.test('mixed variants: operators stay in float as a tuning says', async (t) => {
  const { dir, out } = await files(t)
  const source = join(dir, 'scores.onnx')
  const scores = smallOnnx({
    inputs: { x: [1, 3, 32, 32] },
    outputs: ['y'],
    constants: { w: [16, 3, 3, 3], v: [64, 16, 3, 3], u: [64, 5] },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['Relu', ['a'], ['b']],
      ['Conv', ['b', 'v'], ['c']],
      ['GlobalAveragePool', ['c'], ['d']],
      ['Flatten', ['d'], ['e']],
      ['MatMul', ['e', 'u'], ['y']],
    ],
  })
  writeFileSync(source, writeOnnx(scores))
  const calibration = join(dir, 'images.npz')
  const images = floats([8, 3, 32, 32], (i) => Math.sin(i * i))
  writeFileSync(calibration, formatNpz(new Map([['x', images]])))
  const common = { source, calibration, out, runtime: 'onnxruntime' } as const
  const scheme = 'static-w8a8-u8s8-mixed'
  const rows = [
    [{ maxDrop: 0.5 }, /of agreement is lost on 8 samples \(.*\), 50.0 % may be/],
    [{ spare: 'slow' }, /Conv "b" stays in float: kernels for such sizes are known to be slower/],
    [{ spare: 'saturating' }, /Conv "b" stays in float: its sums often saturate on x86 without V/],
  ] as const
  for (const [tuning, says] of rows) {
    const tuned = { tuning, test: calibration }
    const { findings } = await runJob('build', { ...common, scheme, tuned })
    t.match(findings.map(({ message }) => message).join('\n'), says)
  }
})

t.test('an .onnx source', async (t) => {
  const { dir, out } = await files(t)
  const calibration = join(dir, 'dense.npz')
  const x = floats([6, 4], (i) => Math.sin(i))
  writeFileSync(calibration, formatNpz(new Map([['x', x]])))
  const source = modelPath('dense.onnx')
  const { facts } = await runJob('prepare', { source, calibration, test: null, out })
  t.match(facts, { format: 'onnx', onnx: { opset: Number } })
  t.ok(facts.integerElements > 0 && facts.floatElements >= facts.integerElements)
  t.match(facts, { tflite: { integerElements: facts.integerElements } })
  const common = { source, calibration, out, runtime: 'litert' } as const
  const { file, operators } = await runJob('build', { ...common, scheme: 'static-w8a8' })
  t.match(file, /model.tflite$/)
  t.match(operators, { integer: Number, total: Number })
})

t.test('an .onnx source that cannot become .tflite goes on without, and says why', async (t) => {
  const { dir, out } = await files(t)
  const source = join(dir, 'odd.onnx')
  const odd = smallOnnx({
    inputs: { x: [1, 4] },
    outputs: ['y'],
    rows: [['Hardmax', ['x'], ['y']]],
  })
  writeFileSync(source, writeOnnx(odd))
  const calibration = join(dir, 'odd.npz')
  const x = floats([6, 1, 4], (i) => Math.sin(i))
  writeFileSync(calibration, formatNpz(new Map([['x', x]])))
  const { facts } = await runJob('prepare', { source, calibration, test: null, out })
  t.match(facts.tflite, { obstacle: /cannot become .tflite: Hardmax .* \(no equivalent\)/ })
})

t.test(
  'a variant of which the runtime computes nothing on integers is dropped, with the reason',
  async (t) => {
    const { dir, out } = await files(t)
    const source = join(dir, 'pool.onnx')
    const pool = smallOnnx({
      inputs: { x: [1, 2, 4, 4] },
      outputs: ['y'],
      rows: [['MaxPool', ['x'], ['y'], { kernel_shape: ['ints', [2, 2]] }]],
    })
    writeFileSync(source, writeOnnx(pool))
    const calibration = join(dir, 'pool.npz')
    writeFileSync(
      calibration,
      formatNpz(new Map([['x', floats([4, 2, 4, 4], (i) => Math.sin(i))]])),
    )
    const scheme = 'static-w8a8-u8s8'
    await t.rejects(runJob('build', { source, calibration, scheme, runtime: 'onnxruntime', out }), {
      code: 'nothing-fused',
      message: /computes none of the 1 quantized operators on integers/,
    })
  },
)

t.test('without test data the calibration samples serve, and it is said', async (t) => {
  const { calibration, out } = await files(t)
  const prepared = await runJob('prepare', { source: SMALL_MODEL, calibration, test: null, out })
  t.match(prepared, {
    labelled: false,
    testSamples: 24,
    wholeQuality: { accuracy: null, agreement: 1 },
  })
  t.match(prepared.findings, [
    { code: 'no-test-data', message: /agreement with the float model stands for it/ },
  ])
})

t.test('bad input: one clear line each, and no result', async (t) => {
  const { dir, calibration, test, out } = await files(t)
  const good = { source: SMALL_MODEL, calibration, test, out }
  const write = (name: string, arrays: Map<string, Tensor>) => {
    writeFileSync(join(dir, name), formatNpz(arrays))
    return join(dir, name)
  }
  const data = await readDataset(test)
  const [[, x]] = [...data.inputs] as [[string, Tensor]]
  const sample = x.shape.slice(1)
  const nan = floats([2, ...sample], (i) => (i === 5 ? Number.NaN : 0))
  const truncated = join(dir, 'truncated.tflite')
  writeFileSync(truncated, readFileSync(SMALL_MODEL).subarray(0, 5000))
  writeFileSync(join(dir, 'text.tflite'), 'this is no model at all, but it is long enough')
  const wrongLabels = new Map(toArrays(data))
  wrongLabels.set('y', {
    type: 'int32',
    shape: [data.samples],
    data: new Int32Array(data.samples).fill(99),
  })
  const rows: [string, Partial<typeof good>, RegExp][] = [
    [
      'not a model',
      { source: join(dir, 'text.tflite') },
      /is not a model: it begins neither as .tflite nor as .onnx/,
    ],
    ['cut off', { source: truncated }, /truncated.tflite/],
    [
      'an .onnx source whose input the data does not fit',
      { source: modelPath('dense.onnx') },
      /takes .* but one sample of the data is/,
    ],
    [
      'wrong shape',
      { calibration: write('shape.npz', new Map([['x', floats([4, 3, 3], () => 0)]])) },
      /takes .* but one sample of the data is/,
    ],
    ['no array x', { calibration: write('none.npz', new Map()) }, /has no array "x"/],
    [
      'no samples',
      { calibration: write('empty.npz', new Map([['x', floats([0, ...sample], () => 0)]])) },
      /has no samples/,
    ],
    ['NaN', { calibration: write('nan.npz', new Map([['x', nan]])) }, /holds NaN in sample 0/],
    [
      'labels of another model',
      { test: write('labels.npz', wrongLabels) },
      /label 99 .* belong to another model/,
    ],
    ['an .npz that is none', { test: SMALL_MODEL }, /zip|npz/i],
  ]
  for (const [name, over, message] of rows) {
    await t.rejects(
      prepare({ ...good, ...over }, () => {}),
      { message, code: String },
      name,
    )
  }
  const [[, over, message] = []] = rows
  await t.rejects(
    runJob('prepare', { ...good, ...over }),
    { message, name: 'JobError' },
    'a process says the same',
  )
})

t.test('a source whose weights are quantized already is noticed', async (t) => {
  const shared = sharedData()
  if (!shared) return t.comment(`skipped: ${WITHOUT_SHARED_DATA}`)
  const { out } = await files(t)
  const at = (name: string) => join(shared, 'mlperf-tiny', name)
  const prepared = await runJob('prepare', {
    source: at('kws01_float32.tflite'),
    calibration: at('kws01_calibration.npz'),
    test: null,
    out,
  })
  t.match(prepared.findings, [
    { code: 'source-already-quantized', message: /84 % of its constants are quantized already/ },
    { code: 'no-test-data' },
  ])
})

t.test('who did a job well does the next, one at a time; who failed does none', async (t) => {
  const { dir, calibration, test, out } = await files(t)
  const input = { source: SMALL_MODEL, calibration, test, out }
  await runJob('prepare', input)
  const first = children()
  t.ok(first.length > 0)
  await runJob('prepare', input)
  t.same(children(), first, 'the same as before')
  const more = [...first, 'one more'].map((_, i) => join(dir, `out-${i}`))
  for (const folder of more) mkdirSync(folder)
  await Promise.all(more.map((folder) => runJob('prepare', { ...input, out: folder })))
  t.equal(children().length, more.length + SPARE, 'none does two at a time')
  const bad = { ...input, source: join(dir, 'none.tflite') }
  await t.rejects(runJob('prepare', bad), { name: 'JobError' })
  await runJob('prepare', input)
  t.equal(children().length, more.length + SPARE - 1, 'whoever failed is gone')
})

t.test('a job that hangs is given up, one that is not wanted any more is ended', async (t) => {
  const { calibration, test, out } = await files(t)
  const input = { source: SMALL_MODEL, calibration, test, out }
  await t.rejects(runJob('prepare', input, { timeoutMs: 1 }), { code: 'timeout' })
  const stop = new AbortController()
  const running = runJob('prepare', input, { signal: stop.signal })
  stop.abort()
  await t.rejects(running, { code: 'cancelled' })
  await t.rejects(runJob('prepare', input, { signal: AbortSignal.abort() }), { code: 'cancelled' })
})

t.test('a disk without room for the result is a failed job', async (t) => {
  const { dir, calibration, test } = await files(t)
  const out = join(dir, 'no-folder')
  await t.rejects(runJob('prepare', { source: SMALL_MODEL, calibration, test, out }), {
    name: 'JobError',
  })
  mkdirSync(out)
  copyFileSync(SMALL_MODEL, join(out, 'slice.npz'))
  t.ok(
    await runJob('prepare', { source: SMALL_MODEL, calibration, test, out }),
    'what was left is written over',
  )
})
