import t from 'tap'
import { writeOnnx } from '../../../planner/formats/onnx/index.ts'
import { noiseFor, quantizeOnnx } from '../formats/onnx/quantized.ts'
import { int64s, smallOnnx } from '../formats/onnx/small-onnx.ts'

t.test('a file larger than its source says so, and why', async (t) => {
  const model = smallOnnx({
    inputs: { x: [1, 4, 8, 8] },
    outputs: ['y'],
    constants: { w: [4, 4, 1, 1] },
    rows: Array.from({ length: 9 }, (_, i) => [
      'Conv',
      [i === 0 ? 'x' : `x${i}`, 'w'],
      [i === 8 ? 'y' : `x${i + 1}`],
    ]),
  })
  const source = writeOnnx(model).length
  const images = noiseFor({ x: [1, 4, 8, 8] })
  const { bytes, findings } = await quantizeOnnx(model, 'static-w8a8', images)
  t.ok(bytes.length > source)
  t.match(
    findings.find(({ code }) => code === 'larger-than-source'),
    { severity: 'warning', message: /its constants are so small/ },
  )
})

t.test('what a few numbers unfold into is not written out', async (t) => {
  const model = smallOnnx({
    inputs: { x: [1, 128, 128] },
    outputs: ['y'],
    constants: { rows: [128, 1], columns: [1, 128], w: [128, 128], three: int64s(3, 128, 128) },
    rows: [
      ['Mul', ['rows', 'columns'], ['positions']],
      ['Expand', ['positions', 'three'], ['all']],
      ['Add', ['x', 'all'], ['a']],
      ['MatMul', ['a', 'w'], ['b']],
      ['ReduceMax', ['b'], ['y'], { axes: ['ints', [0]] }],
    ],
  })
  const source = writeOnnx(model).length
  const data = noiseFor({ x: [1, 128, 128] })
  for (const scheme of ['weight-w8', 'dynamic-w8', 'static-w8a8']) {
    const { bytes, findings } = await quantizeOnnx(model, scheme, data)
    t.ok(bytes.length < 0.35 * source, `${scheme}: ${bytes.length} of ${source} bytes`)
    t.notOk(findings.some(({ code }) => code === 'larger-than-source'))
  }
})

t.test('a file of eight bits above 35 % of its source says so, and why', async (t) => {
  const added = smallOnnx({
    inputs: { x: [1, 128, 128] },
    outputs: ['y'],
    constants: { all: [1, 128, 128], w: [128, 128] },
    rows: [
      ['Add', ['x', 'all'], ['a']],
      ['MatMul', ['a', 'w'], ['b']],
      ['ReduceMax', ['b'], ['y'], { axes: ['ints', [0]] }],
    ],
  })
  const data = noiseFor({ x: [1, 128, 128] })
  const { bytes, findings } = await quantizeOnnx(added, 'dynamic-w8', data)
  const source = writeOnnx(added).length
  t.ok(bytes.length > 0.35 * source && bytes.length < source)
  t.match(
    findings.find(({ code }) => code === 'hardly-smaller'),
    {
      severity: 'info',
      message: /, 6\d % of which are left: 1 constants of 64.0 KiB stay in float/,
    },
  )
  const half = await quantizeOnnx(added, 'float16', data)
  t.notOk(
    half.findings.some(({ code }) => code === 'hardly-smaller'),
    'half is what was asked for',
  )
})
