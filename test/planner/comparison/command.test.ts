import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { modelPath } from '../../fixture-models.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'
import { fitment } from '../cli/run-fitment.ts'
import { demoDataPath, demoModelPath, quantized } from './models.ts'

const DATA = ['--data', demoDataPath, '--samples', '4', '--seconds', '0']

t.test('fitment compare', async (t) => {
  const folder = t.testdir({ 'int8.tflite': Buffer.from((await quantized('static-w8a8')).bytes) })
  const int8 = join(folder, 'int8.tflite')

  t.test('prints tables for people', async (t) => {
    const { code, out } = await fitment('compare', demoModelPath, int8, ...DATA, '--worst', '3')
    t.equal(code, 0)
    t.match(out, /output SQNR\s+\d+\.\d dB/)
    t.match(out, /Worst activations \(3 of \d+\)/)
    t.match(out, /OPERATOR\s+INTEGER\s+HYBRID/)
  })

  t.test('prints one JSON value for machines, and writes the page', async (t) => {
    const report = join(folder, 'report.html')
    const run = await fitment('compare', demoModelPath, int8, ...DATA, '--json', '--report', report)
    t.equal(run.code, 0)
    const json = JSON.parse(run.out)
    t.equal(json.samples, 4)
    t.equal(json.quantized[0].file, int8)
    t.ok(json.quantized[0].layers.length > 10)
    t.equal(json.quantized[0].scatters, undefined)
    t.match(readFileSync(report, 'utf8'), /^<!doctype html>/)
  })

  t.test('judges by a metric as evaluate does, in table, JSON and page', async (t) => {
    const report = join(folder, 'judged.html')
    const judged = ['--metric', 'rmse', '--report', report]
    const { out } = await fitment('compare', demoModelPath, int8, ...DATA, ...judged, '--json')
    const { metric } = JSON.parse(out).quantized[0].quality
    const alone = await fitment(
      ...['evaluate', int8, '--data', demoDataPath, '--reference', demoModelPath],
      ...['--metric', 'rmse', '--json'],
    )
    t.match(metric, { text: 'rmse', direction: 'lower', reference: 0 })
    t.ok(metric.value > 0)
    t.equal(JSON.parse(alone.out).metric.text, 'rmse')
    t.match(readFileSync(report, 'utf8'), />rmse</)
    const people = await fitment('compare', demoModelPath, int8, ...DATA, '--metric', 'rmse')
    t.match(people.out, /rmse \(lower is better\)\s+0\.\d+ \(float: 0\)/)
  })

  t.test('says what is wrong', async (t) => {
    const rows: [string[], number, RegExp][] = [
      [['compare', demoModelPath, ...DATA], 2, /missing required argument 'quantized'/],
      [['compare', demoModelPath, int8], 2, /give the data set with --data/],
      [['compare', demoModelPath, join(folder, 'no.tflite'), ...DATA], 2, /no such file/],
      [['compare', demoModelPath, modelPath('dense.tflite'), ...DATA], 1, /\[models-differ\]/],
      [['compare', demoModelPath, modelPath('dense.onnx'), ...DATA], 1, /\[mixed-formats\]/],
      [['compare', demoModelPath, int8, ...DATA, '--metric', 'map'], 1, /mAP needs|y\.boxes/],
      [['compare', demoModelPath, int8, ...DATA, '--metric', 'mops'], 1, /unknown metric "mops"/],
      [
        ['compare', demoModelPath, int8, ...DATA, '--report', join(folder, 'no', 'r.html')],
        2,
        /cannot write/,
      ],
    ]
    for (const [argv, code, message] of rows) {
      const run = await fitment(...argv)
      t.equal(run.code, code, argv.join(' '))
      t.match(run.err, message)
      t.equal(run.out, '')
    }
  })
})

const root = sharedData()
const skip = root === undefined && WITHOUT_SHARED_DATA
t.test('a model of the official converter is matched by its operators', { skip }, async (t) => {
  const file = (name: string) => join(root ?? '', 'mlperf-tiny', name)
  const { code, out } = await fitment(
    ...['compare', file('ic01_float32.tflite'), file('ic01_reference_int8.tflite')],
    ...['--data', file('ic01_test.npz'), '--samples', '20', '--seconds', '0', '--json'],
  )
  t.equal(code, 0)
  const [one] = JSON.parse(out).quantized
  t.same(one.unmatched, [])
  t.equal(one.layers.length, 17)
  t.equal(one.computing.integer, 16)
  t.equal(one.weights.filter(({ role }: { role: string }) => role === 'weight').length, 10)
})
