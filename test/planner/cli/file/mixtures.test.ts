import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { interruptible } from '../../../../planner/cli/file/mixtures.ts'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import type { BudgetReport, BudgetStep } from '../../../../planner/quantizer/index.ts'
import { buildTflite, constant } from '../../quantizer/model-builder.ts'
import { fitment } from '../run-fitment.ts'

const model = demoFile('motor-faults', 'model.tflite')
const calibration = demoFile('motor-faults', 'calibration.npz')
const test = demoFile('motor-faults', 'test.npz')

interface Said {
  readonly scheme: string
  readonly budget: BudgetReport & { readonly pareto: readonly BudgetStep[] }
}

const auto = (out: string, ...options: string[]) =>
  fitment(
    'quantize',
    model,
    '--scheme',
    'auto',
    '--calibration',
    calibration,
    '--recovery',
    'none',
    '-o',
    out,
    ...options,
  )

t.test('auto: as much on integers as a budget of any metric lets be', async (t) => {
  const out = join(t.testdir(), 'auto.tflite')
  const ran = await auto(out, '--max-drop', '0.5', '--metric', 'mae', '--test', test, '--json')
  t.equal(ran.code, 0, ran.err)
  const { budget, scheme } = JSON.parse(ran.out) as Said
  t.match(scheme, /^static-w8a8/)
  t.equal(budget.metric.direction, 'lower')
  t.ok(budget.steps.length > 1, 'scores that move by less than 0.5 % of nothing are never reached')
  t.ok(budget.pareto.length > 0 && budget.pareto.length <= budget.steps.length)
  t.ok(budget.pareto.every(({ bytes, integerShare }) => bytes > 0 && integerShare <= 1))
  const words = await auto(out, '--max-drop', '0', '--metric', 'mae')
  t.match(words.out, /mixtures, float32 0:\nMAE +SIZE +MACS ON INTEGERS +KEPT IN FLOAT/)
})

t.test('what a file must reach', async (t) => {
  const out = join(t.testdir(), 'auto.tflite')
  const common = [
    '--scheme',
    'static-w8a8',
    '--calibration',
    calibration,
    '--recovery',
    'none',
    '-o',
    out,
  ]
  const reach = (least: string, ...more: string[]) =>
    fitment('quantize', model, ...common, '--min-metric', least, '--test', test, ...more)
  const missed = await reach('1.5')
  t.equal(missed.code, 1)
  t.match(
    missed.err,
    /error: no file was written: top-1 reaches .* %, and 150\.00 % or more was asked for/,
  )
  t.notOk(existsSync(out))
  const high = await reach('0.0001', '--metric', 'mae')
  t.match(high.err, /mae reaches .*, and 0\.0001 or less was asked for/)
  t.equal((await reach('0.5')).code, 0)
  t.ok(existsSync(out))
})

t.test('one line for what does not go together', async (t) => {
  const out = join(t.testdir(), 'auto.tflite')
  const rows: [options: string[], line: RegExp][] = [
    [[], /--scheme auto looks for .*add --max-drop/],
    [['--metric', 'mae'], /--scheme auto looks for/],
    [['--max-drop', '1', '--max-accuracy-drop', '1'], /the same: give one/],
    [['--max-drop', '-1'], /--max-drop/],
    [['--max-drop', '1', '--metric', 'mea'], /unknown metric "mea"/],
    [['--max-drop', '1', '--labels', 'l.csv'], /holds arrays: --preprocess and --labels/],
  ]
  for (const [options, line] of rows) {
    const ran = await auto(out, ...options)
    t.not(ran.code, 0, options.join(' '))
    t.match(ran.err, line)
    t.equal(ran.err.trim().split('\n').length, 1, ran.err)
  }
})

t.test('the first interruption ends the search', async (t) => {
  const said: string[] = []
  const before = process.listenerCount('SIGINT')
  const note = (text: string) => said.push(text)
  const aborted = await interruptible(true, note, async (signal) => {
    const first = signal?.aborted
    process.emit('SIGINT')
    t.equal(process.listenerCount('SIGINT'), before, 'the next one ends the program')
    return [first, signal?.aborted]
  })
  t.same(aborted, [false, true])
  t.match(said, [/the best mixture so far is written/])
  await t.rejects(
    interruptible(true, note, () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  t.equal(process.listenerCount('SIGINT'), before, 'nor does a failure leave anything')
  t.equal(await interruptible(false, note, async (signal) => signal), undefined)
})

t.test('a folder of images goes through evaluate and quantize', async (t) => {
  const dir = t.testdir()
  const path = (name: string) => join(dir, name)
  mkdirSync(path('img'))
  for (let i = 0; i < 4; i += 1) {
    const data = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * 37 * (i + 1)) % 256))
    await sharp(data, { raw: { width: 8, height: 8, channels: 1 } }).toFile(path(`img/${i}.png`))
  }
  writeFileSync(
    path('m.tflite'),
    buildTflite({
      inputs: { x: [1, 4, 4] },
      constants: { w: constant([16, 4]), b: constant([16]) },
      operators: [
        {
          code: 'FULLY_CONNECTED',
          inputs: ['x', 'w', 'b'],
          outputs: { y: [1, 4, 16] },
          options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT', keepNumDims: true },
        },
      ],
      outputs: ['y'],
    }),
  )
  const line = ['--preprocess', 'resize 4, gray, 0-1']
  const judge = (...more: string[]) =>
    fitment(
      'evaluate',
      path('m.tflite'),
      '--data',
      path('img'),
      '--reference',
      path('m.tflite'),
      ...more,
    )
  const judged = await judge(...line, '--metric', 'cosine', '--json')
  t.equal(judged.code, 0, judged.err)
  const told = JSON.parse(judged.out) as { samples: number; metric: { value: number } }
  t.equal(told.samples, 4)
  t.ok(Math.abs(told.metric.value - 1) < 1e-9, `${told.metric.value}`)
  const made = [
    'quantize',
    path('m.tflite'),
    '--scheme',
    'static-w8a8',
    '--calibration',
    path('img'),
  ]
  const ran = await fitment(...made, ...line, '-o', path('q.tflite'))
  t.equal(ran.code, 0, ran.err)
  const wrong = ['--preprocess', 'resize 5, gray, 0-1']
  const says =
    /takes float32\[1,4,4\] but .*the preprocessing line "resize 5, gray, 0-1" makes them/
  t.match((await judge(...wrong)).err, says)
  t.match((await fitment(...made, ...wrong, '-o', path('q.tflite'))).err, says)
  t.match((await judge()).err, /no-preprocessing.*--preprocess/)
})
