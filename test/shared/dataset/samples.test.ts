import t from 'tap'
import { takeSamples, toArrays, toDataset } from '../../../shared/dataset/dataset.ts'
import { samplesFor } from '../../../shared/dataset/samples.ts'
import type { TensorInfo } from '../../../shared/runtime/runtime.ts'
import { sizeOf, type Tensor, tensor } from '../../../shared/tensors.ts'

const floats = (shape: readonly number[], values?: readonly number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Float32Array.from(values ?? Array.from({ length: sizeOf(shape) }, (_, i) => i)),
  )
const int32s = (values: readonly number[]) =>
  tensor('int32', [values.length], Int32Array.from(values))
const of = (arrays: Record<string, Tensor>) =>
  toDataset(new Map(Object.entries(arrays)), 'data.npz')
const input = (more: Partial<TensorInfo>): TensorInfo => ({
  name: 'in',
  type: 'float32',
  shape: [1, 2],
  ...more,
})

t.test('what makes a data set unusable', async (t) => {
  const x = floats([3, 2])
  t.throws(() => of({ y: int32s([1]) }), {
    code: 'missing-array',
    message: /no array "x".*found: y/,
  })
  t.throws(() => of({ x: floats([0, 2]) }), { code: 'empty' })
  t.throws(() => of({ x, y: int32s([1, 2]) }), { code: 'length-mismatch' })
  t.throws(() => of({ x, reference: floats([2, 4]) }), { code: 'length-mismatch' })
  t.throws(() => of({ x: floats([2, 2], [1, 2, Number.NaN, 4]) }), {
    code: 'not-finite',
    message: /NaN in sample 1/,
  })
  t.throws(() => of({ x: tensor('float16', [1, 1], Uint16Array.of(0x7c00)) }), {
    code: 'not-finite',
    message: /Infinity in sample 0/,
  })
  t.throws(() => of({ x, y: int32s([0, -1, 2]) }), { code: 'wrong-labels', message: /sample 1/ })
  t.throws(() => of({ x, y: floats([3, 2], [0, 1, 1, 0, 1, 1]) }), { code: 'wrong-labels' })
})

t.test('labels as indices, columns and one-hot rows', async (t) => {
  const x = floats([3, 2])
  t.equal(of({ x }).labels, undefined)
  t.same([...(of({ x, y: int32s([2, 0, 1]) }).labels ?? [])], [2, 0, 1])
  const column = tensor('int64', [3, 1], BigInt64Array.of(2n, 0n, 1n))
  t.same([...(of({ x, y: column }).labels ?? [])], [2, 0, 1])
  const hot = floats([3, 3], [0, 0, 1, 1, 0, 0, 0, 1, 0])
  t.same([...(of({ x, y: hot }).labels ?? [])], [2, 0, 1])
})

t.test('shapes that fit, and the shape of the run', async (t) => {
  const fits: [number[], number[], number[]][] = [
    [
      [5, 2],
      [1, 2],
      [1, 2],
    ],
    [
      [5, 2],
      [-1, 2],
      [1, 2],
    ],
    [
      [5, 1, 2],
      [1, 2],
      [1, 2],
    ],
    [[5, 2], [2], [2]],
    [
      [5, 4, 6],
      [1, 4, 6, 1],
      [1, 4, 6, 1],
    ],
    [
      [5, 7],
      [1, -1],
      [1, 7],
    ],
    [
      [5, 8, 3],
      [8, 3],
      [8, 3],
    ],
    [[5], [1, 1], [1, 1]],
  ]
  for (const [data, model, run] of fits) {
    const samples = samplesFor(of({ x: floats(data) }), [input({ shape: model })])
    t.same(samples.at(1).in?.shape, run, `${data} for ${model}`)
    const size = sizeOf(data.slice(1))
    t.same(
      [...(samples.at(1).in?.data ?? [])],
      Array.from({ length: size }, (_, i) => size + i),
    )
  }
  for (const [data, model] of [
    [
      [5, 3],
      [1, 2],
    ],
    [
      [5, 2],
      [8, 2],
    ],
    [
      [5, 6, 4],
      [1, 4, 6, 1],
    ],
    [
      [5, 2, 2],
      [1, 4],
    ],
  ] as [number[], number[]][])
    t.throws(() => samplesFor(of({ x: floats(data) }), [input({ shape: model })]), {
      code: 'wrong-shape',
    })
})

t.test('several inputs by name', async (t) => {
  const inputs = [input({ name: 'a' }), input({ name: 'b', shape: [1, 1] })]
  const data = of({ b: floats([2, 1]), a: floats([2, 2]) })
  t.same([...(samplesFor(data, inputs).at(1).a?.data ?? [])], [2, 3])
  t.throws(() => samplesFor(of({ x: floats([2, 2]) }), inputs), {
    code: 'missing-array',
    message: /"a".*found: x/,
  })
})

t.test('real values in the form of the input', async (t) => {
  const convert = (values: Tensor, info: Partial<TensorInfo>) => {
    const shape = [1, values.data.length]
    const x = { ...values, shape }
    return [...(samplesFor(of({ x }), [input({ shape, ...info })]).at(0).in?.data ?? [])]
  }
  const bytes = tensor('uint8', [3], Uint8Array.of(0, 128, 255))
  t.same(convert(bytes, { type: 'float32' }), [0, 128, 255])
  const int8 = { type: 'int8', quantization: { scale: 1, zeroPoint: -128 } } as const
  t.same(convert(bytes, int8), [-128, 0, 127])
  const half = { type: 'int8', quantization: { scale: 0.5, zeroPoint: 0 } } as const
  // Half away from zero, and clamped.
  t.same(
    convert(floats([6], [0.25, -0.25, 0.74, 1.25, 1000, -1000]), half),
    [1, -1, 1, 3, 127, -128],
  )
  t.same(convert(tensor('int8', [1], Int8Array.of(3)), half), [6], 'a file holds real values')
  const int16 = { type: 'int16', quantization: { scale: 1 / 32768, zeroPoint: 0 } } as const
  t.same(convert(floats([2], [1, -0.5]), int16), [32767, -16384])
  t.same(convert(tensor('float64', [1], Float64Array.of(0.1)), {}), [Math.fround(0.1)])
  t.same(convert(tensor('float16', [1], Uint16Array.of(0x3c00)), {}), [1])
  t.same(convert(floats([1], [1]), { type: 'float16' }), [0x3c00])
  t.same(convert(floats([2], [7, -7]), { type: 'int64' }), [7n, -7n])
  t.same(convert(floats([2], [7, -7]), { type: 'int32' }), [7, -7])
  t.throws(() => convert(floats([1], [0.5]), { type: 'int32' }), { code: 'wrong-type' })
  t.throws(() => convert(floats([1], [300]), { type: 'uint8' }), { code: 'wrong-type' })
})

t.test('a slice keeps what belongs together', async (t) => {
  const whole = of({
    x: floats([10, 2]),
    y: int32s([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    reference: floats([10, 3]),
  })
  const slice = takeSamples(whole, 5)
  t.same([...(slice.labels ?? [])], [0, 2, 4, 6, 8])
  t.same([...(slice.inputs.get('x')?.data ?? [])].slice(2, 4), [4, 5])
  t.same([...(slice.references.get('')?.data ?? [])].slice(3, 6), [6, 7, 8])
  t.equal(takeSamples(whole, 99), whole)
  t.same(toDataset(toArrays(slice), 'again'), slice)
})
