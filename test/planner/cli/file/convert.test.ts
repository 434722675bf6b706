import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import { writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { formatNpz } from '../../../../shared/dataset/index.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { modelPath } from '../../../fixture-models.ts'
import { smallOnnx } from '../../formats/onnx/small-onnx.ts'
import { fitment } from '../run-fitment.ts'

t.setTimeout(120_000)

t.test('convert writes the other format, both ways, and says how near it is', async (t) => {
  const dir = t.testdir({})
  const [onnx, tflite] = [join(dir, 'there.onnx'), join(dir, 'back.tflite')]
  const there = await fitment(
    'convert',
    demoFile('motor-faults', 'model.tflite'),
    '-o',
    onnx,
    '--json',
  )
  t.equal(there.code, 0, there.err)
  t.match(JSON.parse(there.out), { format: 'onnx', proof: { samples: 3 } })
  const back = await fitment('convert', onnx, '-o', tflite, '--json')
  t.equal(back.code, 0, back.err)
  t.match(JSON.parse(back.out), { format: 'tflite', transposes: Number, minRuntime: /^\d/ })
  t.equal(readFileSync(tflite).subarray(4, 8).toString(), 'TFL3')
  const words = await fitment('convert', modelPath('dense.onnx'), '-o', join(dir, 'dense.tflite'))
  t.match(
    words.out,
    /operators, 0 of them transposes, runs since TensorFlow Lite .*\ndiffers from the source on 3 samples by/,
  )
})

t.test('samples of the caller, and channels last at the edges', async (t) => {
  const dir = t.testdir({})
  const source = join(dir, 'net.onnx')
  const model = smallOnnx({
    inputs: { x: [1, 2, 4, 4] },
    outputs: ['y'],
    constants: { w: [3, 2, 3, 3] },
    rows: [['Conv', ['x', 'w'], ['y']]],
  })
  writeFileSync(source, writeOnnx(model))
  const data = join(dir, 'x.npz')
  const x: Tensor = {
    type: 'float32',
    shape: [5, 2, 4, 4],
    data: Float32Array.from({ length: 160 }, (_, i) => Math.sin(i)),
  }
  writeFileSync(data, formatNpz(new Map([['x', x]])))
  const output = join(dir, 'net.tflite')
  const { code, out, err } = await fitment(
    'convert',
    source,
    '-o',
    output,
    '--data',
    data,
    '--layout',
    'nhwc',
    '--json',
  )
  t.equal(code, 0, err)
  t.match(JSON.parse(out), { transposes: 0, proof: { samples: 5 } })
})

t.test('bad input: one line each, and no file', async (t) => {
  const dir = t.testdir({ 'bad.onnx': 'no model' })
  const output = join(dir, 'out.tflite')
  const hardmax = join(dir, 'hardmax.onnx')
  const odd = smallOnnx({
    inputs: { x: [1, 4] },
    outputs: ['y'],
    rows: [['Hardmax', ['x'], ['y']]],
  })
  writeFileSync(hardmax, writeOnnx(odd))
  const rows = [
    [[join(dir, 'bad.onnx'), '-o', output], /bad.onnx/],
    [[hardmax, '-o', output], /Hardmax .*\(no equivalent\)/],
    [
      [modelPath('dense.onnx'), '-o', join(dir, 'out.onnx')],
      /a .onnx model is converted to .tflite/,
    ],
    [[modelPath('dense.onnx'), '-o', output, '--tolerance', 'much'], /tolerance/],
    [[modelPath('dense.onnx'), '-o', output, '--target', 'old'], /release of TensorFlow Lite/],
    [[modelPath('dense.onnx')], /-o FILE/],
  ] as const
  for (const [argv, says] of rows) {
    const { code, err } = await fitment('convert', ...argv)
    t.not(code, 0, says.source)
    t.match(err, says)
  }
  t.notOk(existsSync(output))
})

t.test('inspect says beforehand what would be refused', async (t) => {
  const dir = t.testdir({})
  const path = join(dir, 'odd.onnx')
  const odd = smallOnnx({
    inputs: { x: [1, 4] },
    outputs: ['y'],
    rows: [['Hardmax', ['x'], ['y']]],
  })
  writeFileSync(path, writeOnnx(odd))
  t.match((await fitment('inspect', path)).out, /as .tflite: .*Hardmax/)
  const { out } = await fitment('inspect', modelPath('dense.onnx'), '--json')
  t.match(JSON.parse(out), { other: { format: 'tflite', operators: Number, obstacle: null } })
})
