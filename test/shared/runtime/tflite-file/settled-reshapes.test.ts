import t from 'tap'
import { LitertEngine } from '../../../../shared/runtime/litert/engine.ts'
import { withSettledReshapes } from '../../../../shared/runtime/tflite-file/settled-reshapes.ts'
import { tensor } from '../../../../shared/tensors.ts'
import {
  buildTflite,
  type ModelSpec,
  numbers,
  type OperatorSpec,
} from '../../../planner/quantizer/model-builder.ts'

const SCALAR = { type: 'INT32', shape: [] } as const
const list = (length: number) => ({ type: 'INT32', shape: [length] }) as const
const ints = (...values: readonly number[]) => ({
  shape: [values.length],
  data: Int32Array.from(values),
})
const int = (value: number) => ({ shape: [], data: Int32Array.of(value) })

const operator = (
  code: string,
  inputs: readonly string[],
  outputs: OperatorSpec['outputs'],
  options?: OperatorSpec['options'],
): OperatorSpec => ({ code, inputs, outputs, ...(options && { options }) })

const sizeAt = (place: string, behind: string, output: string) =>
  operator(
    'STRIDED_SLICE',
    ['sizes', place, behind, 'one'],
    { [output]: SCALAR },
    {
      type: 'StridedSliceOptions',
      beginMask: 0,
      endMask: 0,
      ellipsisMask: 0,
      newAxisMask: 0,
      shrinkAxisMask: 1,
    },
  )

const packed = (inputs: readonly string[], output: string) =>
  operator(
    'PACK',
    inputs,
    { [output]: list(inputs.length) },
    {
      type: 'PackOptions',
      valuesCount: inputs.length,
      axis: 0,
    },
  )

const CONSTANTS = {
  zero: ints(0),
  one: ints(1),
  two: ints(2),
  three: int(3),
  eight: int(8),
}

/** As converters write `reshape(y, [shape(y)[0], 3, 8])`: the first size is the batch. */
const BY_BATCH: ModelSpec = {
  inputs: { x: [-1, 6, 4] },
  constants: CONSTANTS,
  operators: [
    operator('RELU', ['x'], { y: [-1, 6, 4] }),
    operator('SHAPE', ['y'], { sizes: list(3) }, { type: 'ShapeOptions', outType: 'INT32' }),
    sizeAt('zero', 'one', 'batch'),
    packed(['batch', 'three', 'eight'], 'shape'),
    operator('RESHAPE', ['y', 'shape'], { rows: [-1, 3, 8] }),
    operator('NEG', ['rows'], { negative: [-1, 3, 8] }),
  ],
  outputs: ['rows', 'negative'],
}

t.test(
  'a reshape by a computed shape is given out, at every run and for every batch',
  async (t) => {
    const engine = await LitertEngine.start()
    const model = engine.load(buildTflite(BY_BATCH))
    for (const [batch, seed] of [
      [1, 1],
      [1, 2],
      [3, 3],
      [1, 4],
    ] as const) {
      const x = numbers([batch, 6, 4], -1, 1, seed)
      const [rows, negative] = model.run({ x: tensor('float32', [batch, 6, 4], x) })
      t.same(rows?.shape, [batch, 3, 8])
      t.same(
        Array.from(rows?.data as Float32Array),
        Array.from(x, (one) => Math.max(0, one)),
      )
      t.same(
        Array.from(negative?.data as Float32Array),
        Array.from(x, (one) => -Math.max(0, one)),
      )
    }
    model.close()
  },
)

/** Sizes that are computed with: [4, 6], from the middle of what SHAPE says, multiplied and joined. */
function byArithmetic(closed: readonly number[], last = 'eight'): ModelSpec {
  return {
    inputs: { x: closed },
    constants: { ...CONSTANTS, four: int(4) },
    operators: [
      operator('SHAPE', ['x'], { sizes: list(3) }, { type: 'ShapeOptions', outType: 'INT32' }),
      sizeAt('one', 'two', 'six'),
      operator(
        'MUL',
        ['six', 'four'],
        { all: SCALAR },
        {
          type: 'MulOptions',
          fusedActivationFunction: 'NONE',
        },
      ),
      operator('FLOOR_DIV', ['all', 'eight'], { third: SCALAR }),
      packed(['third', last], 'shape'),
      operator('RESHAPE', ['x', 'shape'], { y: [3, 8] }),
    ],
    outputs: ['y'],
  }
}

t.test('so is one by sizes that are computed with', async (t) => {
  const engine = await LitertEngine.start()
  const model = engine.load(buildTflite(byArithmetic([1, 6, 4])))
  for (const seed of [1, 2, 3]) {
    const x = numbers([1, 6, 4], -1, 1, seed)
    const [y] = model.run({ x: tensor('float32', [1, 6, 4], x) })
    t.same(y?.shape, [3, 8])
    t.same(Array.from(y?.data as Float32Array), Array.from(x))
  }
  t.ok(model.fullyDelegated, 'and XNNPACK has all of it')
  model.close()
})

t.test('what is not known, or contradicts itself, stays as it is', async (t) => {
  const unknown = buildTflite(byArithmetic([1, -1, 4], 'six'))
  t.equal(withSettledReshapes(unknown), unknown)
  const wrong = buildTflite(byArithmetic([1, 6, 5]))
  t.equal(withSettledReshapes(wrong), wrong)
  const plain = buildTflite({
    inputs: { x: [1, 6, 4] },
    constants: { shape: ints(3, 8) },
    operators: [operator('RESHAPE', ['x', 'shape'], { y: [3, 8] })],
    outputs: ['y'],
  })
  t.equal(withSettledReshapes(plain), plain)
})

const SIZED: Readonly<
  Record<string, { readonly version: number; readonly from: string; readonly sizes: number[] }>
> = {
  RESHAPE: { version: 1, from: 'x', sizes: [3, 8] },
  TILE: { version: 1, from: 'third', sizes: [3, 2] },
  BROADCAST_TO: { version: 2, from: 'row', sizes: [3, 8] },
}

t.test('what is sized by an input is given out too', async (t) => {
  const engine = await LitertEngine.start()
  for (const [code, { version, from, sizes }] of Object.entries(SIZED)) {
    const model = engine.load(
      buildTflite({
        inputs: { x: [1, 6, 4], third: [1, 4], row: [1, 8], to: list(2) },
        operators: [{ ...operator(code, [from, 'to'], { y: [3, 8] }), version }],
        outputs: ['y'],
      }),
    )
    for (const seed of [1, 2, 3]) {
      const x = numbers([1, 6, 4], -1, 1, seed)
      const to = tensor('int32', [2], Int32Array.from(sizes))
      const [third, row] = [x.slice(0, 4), x.slice(0, 8)]
      const [y] = model.run({
        x: tensor('float32', [1, 6, 4], x),
        third: tensor('float32', [1, 4], third),
        row: tensor('float32', [1, 8], row),
        to,
      })
      const rows = { x: [...x], third: [...third, ...third], row: [...row] }[from] ?? []
      const expected = from === 'x' ? rows : [...rows, ...rows, ...rows]
      t.same(Array.from(y?.data as Float32Array), expected, code)
    }
    model.close()
  }
})
