import t from 'tap'
import { codesOf } from '../../../../planner/graph/numbers/encode.ts'
import {
  biasParameters,
  guardBias,
  weightParameters,
} from '../../../../planner/quantizer/parameters/weight.ts'

t.test('each channel has its own scale; the largest weight takes the code 127', async (t) => {
  const values = Float32Array.of(0.5, -1, 10, 20)
  const parameters = weightParameters(values, [2, 2], 0)
  t.same(parameters, {
    scales: [Math.fround(1 / 127), Math.fround(20 / 127)],
    zeroPoints: [0, 0],
    axis: 0,
  })
  t.same([...codesOf(values, [2, 2], { type: 'int8', parameters })], [64, -127, 64, 127])
})

t.test('channels run along any dimension', async (t) => {
  // 1×1×2×3, channels last: pairs (1,4), (2,5), (3,6).
  const parameters = weightParameters(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 1, 2, 3], 3)
  t.same(
    parameters.scales,
    [4, 5, 6].map((max) => Math.fround(max / 127)),
  )
})

t.test('7-bit weights keep to ±63', async (t) => {
  t.same(weightParameters(Float32Array.of(-6.3), [1], null, 7).scales, [Math.fround(6.3 / 63)])
})

t.test('weights that lie on codes already keep them, whatever the largest is', async (t) => {
  const codes = [64, -3, 17, -60, 5, 0, 33, -49, 12, 7]
  // The last channel is no multiple of anything.
  const free = [0.91, -0.13, 0.271, 0.777, -0.5, 0.33, 0.11, -0.9, 0.42, 0.6]
  const values = Float32Array.from([...codes.map((code) => code * 0.013), ...free])
  const { scales } = weightParameters(values, [2, 10], 0)
  t.same(scales, [Math.fround(Math.fround(64 * 0.013) / 64), Math.fround(Math.fround(0.91) / 127)])
  const form = { type: 'int8', parameters: { scales, zeroPoints: [0, 0], axis: 0 } } as const
  t.same([...codesOf(values, [2, 10], form)].slice(0, 10), codes)
  const last = weightParameters(values.subarray(0, 10), [10], null)
  t.same(last.scales, scales.slice(0, 1), 'of a whole tensor as well')
})

t.test('a dead channel takes the scale of the tensor, an all-zero tensor some scale', async (t) => {
  t.same(
    weightParameters(Float32Array.of(0, 0, 2, 1), [2, 2], 0).scales,
    [2, 2].map((max) => Math.fround(max / 127)),
  )
  t.same(weightParameters(new Float32Array(2), [2], null).scales, [Math.fround(1 / 127)])
})

t.test('a bias that would overflow raises the weight scale of its channel only', async (t) => {
  const weight = { scales: [1e-9, 0.01], zeroPoints: [0, 0], axis: 0 }
  const bias = Float32Array.of(5, 5)
  const guarded = guardBias(weight, 0.05, bias)
  t.equal(guarded.scales[1], 0.01)
  t.ok((guarded.scales[0] as number) > 1e-9)
  const form = { type: 'int32', parameters: biasParameters(0.05, guarded) } as const
  const codes = [...codesOf(bias, [2], form)]
  t.ok(codes.every((code) => Math.abs(code) <= 2 ** 30 + 1))
  t.ok(Math.abs((codes[0] as number) - 2 ** 30) < 2 ** 10, 'and takes the room there is')
})

t.test('one scale for the tensor is guarded by its largest bias', async (t) => {
  const guarded = guardBias(
    { scales: [1e-9], zeroPoints: [0], axis: null },
    1,
    Float32Array.of(0, -9),
  )
  t.ok(9 / (guarded.scales[0] as number) <= 2 ** 30)
})

t.test(
  'bias codes follow the accumulator: input scale × weight scale, along dimension 0',
  async (t) => {
    const parameters = biasParameters(0.5, { scales: [0.25, 2], zeroPoints: [0, 0], axis: 3 })
    t.same(parameters, { scales: [0.125, 1], zeroPoints: [0, 0], axis: 0 })
  },
)
