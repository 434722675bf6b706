import t from 'tap'
import { dataOf, dimsOf, readOnnx } from '../../../../planner/formats/onnx/index.ts'
import { PAIR_MOST } from '../../../../planner/quantizer/parameters/pairs.ts'
import { noiseFor, quantizeOnnx } from '../../formats/onnx/quantized.ts'
import { smallOnnx } from '../../formats/onnx/small-onnx.ts'

const model = smallOnnx({
  inputs: { x: [1, 3, 8, 8] },
  outputs: ['y'],
  constants: { odd: [8, 3, 3, 3], own: [8, 1, 3, 3], even: [6, 8, 1, 1], last: [96, 12] },
  rows: [
    ['Conv', ['x', 'odd'], ['a'], { pads: ['ints', [1, 1, 1, 1]] }],
    ['Conv', ['a', 'own'], ['b'], { group: ['int', 8] }],
    ['Conv', ['b', 'even'], ['c']],
    ['AveragePool', ['c'], ['d'], { kernel_shape: ['ints', [3, 3]] }],
    ['Flatten', ['d'], ['e']],
    ['MatMul', ['e', 'last'], ['y']],
  ],
})

/** Codes of each output channel as the kernel reads them: channels of one tap, then those of the next. */
function rowsOf(codes: Int8Array, [first = 1, second = 1, ...taps]: readonly number[]): number[][] {
  const places = taps.reduce((product, dim) => product * dim, 1)
  if (taps.length === 0) {
    return Array.from({ length: second }, (_, column) =>
      Array.from({ length: first }, (_, i) => codes[i * second + column] ?? 0),
    )
  }
  return Array.from({ length: first }, (_, output) =>
    Array.from({ length: places * second }, (_, k) => {
      const [tap, channel] = [Math.floor(k / second), k % second]
      return codes[(output * second + channel) * places + tap] ?? 0
    }),
  )
}

function largestPair(rows: readonly (readonly number[])[]): number {
  const sums = rows.flatMap((row) =>
    row.flatMap((a, k) => {
      const b = row[k + 1] ?? 0
      return k % 2 === 1 ? [] : [Math.max(a, 0) + Math.max(b, 0), -Math.min(a, 0) - Math.min(b, 0)]
    }),
  )
  return Math.max(...sums)
}

for (const [scheme, recovery] of [
  ['static-w8a8-u8s8-rr', []],
  ['static-w8a8-u8s8-rr', ['rounding']],
  ['dynamic-w8-rr', []],
] as const) {
  t.test(`${scheme} ${recovery}: no two neighbours pass 16 bits`, async (t) => {
    const calibration = scheme.startsWith('static') ? noiseFor({ x: [1, 3, 8, 8] }) : undefined
    const { bytes, findings } = await quantizeOnnx(model, scheme, calibration, {
      recovery: [...recovery],
    })
    t.notOk(findings.some(({ code }) => code === 'int16-saturation'))
    const weights = (readOnnx(bytes).graph?.initializer ?? []).filter(
      ({ dataType, dims }) => dataType === 3 && dims.length > 1,
    )
    t.equal(weights.length, scheme.startsWith('static') ? 4 : 1)
    for (const weight of weights) {
      const codes = dataOf(weight) as Int8Array
      const dims = dimsOf(weight)
      const largest = Math.max(...codes.map(Math.abs))
      // Depthwise products are added in 32 bits, and lose nothing.
      if (dims[1] === 1) t.equal(largest, 127)
      else t.ok(largestPair(rowsOf(codes, dims)) <= PAIR_MOST, weight.name)
      t.ok(largest > 63, 'finer than 7 bits')
    }
  })
}
