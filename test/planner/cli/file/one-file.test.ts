import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { fitment, type Ran } from '../run-fitment.ts'

const json = ({ out }: Ran) => JSON.parse(out) as Record<string, number>

const motor = (name: string) => demoFile('motor-faults', name)

t.test('quantize, then evaluate: the demo model keeps its answers in every scheme', async (t) => {
  const dir = t.testdir()
  for (const scheme of [
    'float16',
    'dynamic-w8',
    'static-w8a8',
    'static-w8a8-io8',
    'static-w8a8-iou8',
  ]) {
    const out = join(dir, `${scheme}.tflite`)
    const made = await fitment(
      'quantize',
      motor('model.tflite'),
      '--scheme',
      scheme,
      '--calibration',
      motor('calibration.npz'),
      '-o',
      out,
      '--json',
    )
    t.equal(made.code, 0, made.err)
    t.equal(json(made).bytes, statSync(out).size)
    t.ok(
      (json(made).bytes ?? 0) < 0.6 * statSync(motor('model.tflite')).size,
      `${scheme} is smaller`,
    )
    const judged = await fitment(
      'evaluate',
      out,
      '--data',
      motor('test.npz'),
      '--reference',
      motor('model.tflite'),
      '--json',
    )
    t.ok((json(judged).agreement ?? 0) >= 0.99, `${scheme} agrees: ${json(judged).agreement}`)
    t.ok((json(judged).sqnrDb ?? 0) >= 30, `${scheme}: ${json(judged).sqnrDb} dB`)
  }
})

t.test(
  'ic01 in integers: at least as right as the converter, nearer to float, under 100 KB',
  async (t) => {
    const root = sharedData()
    if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
    const file = (name: string) => join(root, 'mlperf-tiny', name)
    const out = join(t.testdir(), 'out.tflite')
    const float = file('ic01_float32.tflite')
    await fitment(
      'quantize',
      float,
      '--scheme',
      'static-w8a8-io8',
      '--calibration',
      file('ic01_calibration.npz'),
      '-o',
      out,
    )
    const judge = async (model: string) =>
      json(
        await fitment(
          'evaluate',
          model,
          '--data',
          file('ic01_test.npz'),
          '--reference',
          float,
          '--json',
        ),
      )
    const [ours, converters] = [await judge(out), await judge(file('ic01_reference_int8.tflite'))]
    t.ok(
      (ours.accuracy ?? 0) >= (converters.accuracy ?? 1),
      `${ours.accuracy} against ${converters.accuracy}`,
    )
    t.ok((ours.agreement ?? 0) >= 0.97, `agreement ${ours.agreement}`)
    t.ok((ours.sqnrDb ?? 0) >= 24, `${ours.sqnrDb} dB`)
    t.ok(statSync(out).size <= 100_000, `${statSync(out).size} bytes`)
  },
)

t.test('kws01: a float model that is none is noticed', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  const file = (name: string) => join(root, 'mlperf-tiny', name)
  const out = join(t.testdir(), 'out.tflite')
  const made = await fitment(
    'quantize',
    file('kws01_float32.tflite'),
    '--scheme',
    'static-w8a8',
    '--calibration',
    file('kws01_calibration.npz'),
    '-o',
    out,
  )
  t.match(made.err, /the source stores 5 constants as integer numbers/)
})

t.test('what cannot be done is said in one line', async (t) => {
  const dir = t.testdir()
  const path = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const out = join(dir, 'out.tflite')
  const model = motor('model.tflite')
  const calibration = motor('calibration.npz')
  const rows: { argv: string[]; code: number; err: RegExp }[] = [
    {
      argv: ['inspect', path('text.tflite', 'hello there')],
      code: 1,
      err: /^error \[not-tflite\]: text\.tflite: /,
    },
    {
      argv: ['quantize', path('junk.tflite', 'hello there'), '--scheme', 'float16', '-o', out],
      code: 1,
      err: /^error \[not-tflite\]: junk\.tflite: /,
    },
    {
      argv: ['inspect', path('text.txt', 'hello')],
      code: 2,
      err: /give one ending in \.tflite or \.onnx/,
    },
    { argv: ['inspect', join(dir, 'absent.tflite')], code: 2, err: /there is no such file/ },
    { argv: ['quantize', model, '--scheme', 'w8', '-o', out], code: 2, err: /unknown scheme "w8"/ },
    {
      argv: ['quantize', model, '--scheme', 'static-w8a8', '-o', out],
      code: 1,
      err: /calibration-missing/,
    },
    {
      argv: [
        'quantize',
        model,
        '--scheme',
        'static-w8a8',
        '--calibration',
        path('c.npz', 'PK'),
        '-o',
        out,
      ],
      code: 1,
      err: /^error \[corrupt\]/,
    },
    {
      argv: ['quantize', model, '--scheme', 'float16', '-o', join(dir, 'no', 'x.tflite')],
      code: 2,
      err: /cannot write/,
    },
    { argv: ['evaluate', model, '--data', path('d.npz', '')], code: 1, err: /^error \[corrupt\]/ },
    { argv: ['evaluate', model], code: 2, err: /--data/ },
    { argv: ['evaluate', model, '--data', calibration], code: 0, err: /^(?!error)/ },
  ]
  for (const { argv, code, err } of rows) {
    const ran = await fitment(...argv)
    t.equal(ran.code, code, `${argv[0]}: ${ran.err.trim()}`)
    t.match(ran.err, err)
    if (code !== 0) t.equal(ran.err.trimEnd().split('\n').length, 1, 'one line')
  }
})
