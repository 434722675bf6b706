import t, { type Test } from 'tap'
import { decode } from '../../../../planner/graph/numbers/encode.ts'
import { correctBiases } from '../../../../planner/quantizer/recovery/bias-correction.ts'
import { coverageOf } from '../../../../planner/quantizer/recovery/windows.ts'
import { constant, type ModelSpec } from '../model-builder.ts'
import { planned } from '../plan/planned.ts'

const TEN = [0, 25.5] as const

/** Correction of every bias when channel `i` of the input has mean `means[i]`. */
function corrections(model: ModelSpec, means: readonly number[]): Float32Array[] {
  const { plan, request } = planned({
    model,
    scheme: 'static-w8a8',
    ranges: { x: TEN, y: TEN },
  })
  const revisions = correctBiases(plan, request, new Map([[0, Float64Array.from(means)]]))
  return [...revisions.values()].map(({ bias }) => bias ?? new Float32Array(0))
}

function roundingErrors(model: ModelSpec): Float64Array {
  const { plan, request } = planned({ model, scheme: 'static-w8a8', ranges: { x: TEN, y: TEN } })
  const store = plan.instructions.find((one) => one.verb === 'store-constant')
  if (store?.verb !== 'store-constant') throw new Error('the plan stores a weight')
  const weight = request.graph.tensors[store.tensor]
  const values = weight?.constant?.read() ?? new Float32Array(0)
  const rounded = decode(values, weight?.shape ?? [], store.form)
  return Float64Array.from(values, (value, i) => value - (rounded[i] as number))
}

function sameNumbers(t: Test, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  t.equal(found.length, expected.length)
  for (let i = 0; i < expected.length; i += 1) {
    const [a, b] = [found[i] as number, expected[i] as number]
    if (Math.abs(a - b) > 1e-6) t.fail(`channel ${i}: ${a}, not ${b}`)
  }
}

const dense: ModelSpec = {
  inputs: { x: [1, 6] },
  constants: { w: constant([3, 6]), b: constant([3]) },
  operators: [
    {
      code: 'FULLY_CONNECTED',
      inputs: ['x', 'w', 'b'],
      outputs: { y: [1, 3] },
      options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
    },
  ],
  outputs: ['y'],
}

t.test('a bias takes back Σ (w − ŵ) · E[x]', async (t) => {
  const means = [1, -2, 3, 0, 5, 1]
  const [bias] = corrections(dense, means)
  const errors = roundingErrors(dense)
  const before = dense.constants?.b?.data ?? []
  const expected = Array.from({ length: 3 }, (_, row) =>
    means.reduce(
      (sum, mean, k) => sum + mean * (errors[row * 6 + k] as number),
      before[row] as number,
    ),
  )
  sameNumbers(t, bias ?? [], expected)
})

t.test('an operator without a bias gets one', async (t) => {
  const [operator] = dense.operators
  if (operator === undefined) throw new Error('the spec has an operator')
  const model = { ...dense, operators: [{ ...operator, inputs: ['x', 'w'] }] }
  const [bias] = corrections(model, [1, 1, 1, 1, 1, 1])
  t.equal(bias?.length, 3)
  t.ok(bias?.some((value) => value !== 0))
})

const window = { padding: 'SAME', strideW: 1, strideH: 1, dilationWFactor: 1, dilationHFactor: 1 }

t.test('a depthwise channel reads its own input channel', async (t) => {
  const model: ModelSpec = {
    inputs: { x: [1, 3, 3, 2] },
    // A multiplier of 2: outputs 0 and 1 read channel 0, outputs 2 and 3 channel 1.
    constants: { w: constant([1, 1, 1, 4]), b: { shape: [4], data: new Float32Array(4) } },
    operators: [
      {
        code: 'DEPTHWISE_CONV_2D',
        inputs: ['x', 'w', 'b'],
        outputs: { y: [1, 3, 3, 4] },
        options: { type: 'DepthwiseConv2DOptions', depthMultiplier: 2, ...window },
      },
    ],
    outputs: ['y'],
  }
  // One weight per channel is its own largest: rounding is exact, so any shift would be a mix-up.
  const [bias] = corrections(model, [10, 1000])
  t.ok(bias?.every((value) => Math.abs(value) < 1e-3))
})

t.test('taps count as often as they lie on the image', async (t) => {
  const axis = { weightAxis: 1, input: 4, output: 4, taps: 3, stride: 1, dilation: 1, padding: 1 }
  t.same([...coverageOf(axis)], [0.75, 1, 0.75])
  t.same([...coverageOf({ ...axis, output: 2, padding: 0 })], [1, 1, 1])
  t.same([...coverageOf({ ...axis, output: 2, stride: 2, padding: 0 })], [1, 1, 0.5])
  t.same([...coverageOf({ ...axis, dilation: 4, padding: 4 })], [0, 1, 0])
})

t.test('grouped convolutions read their own group of channels', async (t) => {
  const model = (means: readonly number[]): number[] => {
    const spec: ModelSpec = {
      inputs: { x: [1, 3, 3, 4] },
      constants: { w: constant([4, 1, 1, 2]), b: { shape: [4], data: new Float32Array(4) } },
      operators: [
        {
          code: 'CONV_2D',
          inputs: ['x', 'w', 'b'],
          outputs: { y: [1, 3, 3, 4] },
          options: { type: 'Conv2DOptions', ...window },
        },
      ],
      outputs: ['y'],
    }
    return [...(corrections(spec, means)[0] ?? [])]
  }
  const first = model([1, 1, 0, 0])
  t.ok(first.slice(0, 2).some((value) => value !== 0))
  t.same(first.slice(2), [0, 0])
  t.same(model([0, 0, 1, 1]).slice(0, 2), [0, 0])
})
