import t from 'tap'
import { constant, integers, type ModelSpec, type OperatorSpec } from '../model-builder.ts'
import { formsOf, planned } from './planned.ts'

const unary = (code: string, input: string, output: string): OperatorSpec => ({
  code,
  inputs: [input],
  outputs: { [output]: [1, 4] },
})
const concatenation = (inputs: readonly string[], output: string): OperatorSpec => ({
  code: 'CONCATENATION',
  inputs,
  outputs: { [output]: [1, 4 * inputs.length] },
  options: { type: 'ConcatenationOptions', axis: 1, fusedActivationFunction: 'NONE' },
})
const dense = (inputs: readonly string[], output: string): OperatorSpec => ({
  code: 'FULLY_CONNECTED',
  inputs,
  outputs: { [output]: [1, 4] },
  options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
})
const chain = (operators: readonly OperatorSpec[], outputs: readonly string[]): ModelSpec => ({
  inputs: { x: [1, 4] },
  operators,
  outputs,
})

/** Steps of 1/255 of these widths print short. */
const TEN = [0, 25.5] as const
const FIVE = [0, 12.75] as const

t.test('edges: float, int8 and uint8', async (t) => {
  const model = chain([unary('RELU', 'x', 'y')], ['y'])
  const ranges = { x: TEN, y: FIVE }
  const cases = {
    'static-w8a8': [
      'convert "x" float32 → int8 0.1/-128 for RELU "y".0',
      'make "y" int8 0.05/-128',
      'convert "y" int8 0.05/-128 → float32 for output 0',
      'compute RELU "y" as integer',
    ],
    'static-w8a8-io8': [
      'make "x" int8 0.1/-128',
      'make "y" int8 0.05/-128',
      'compute RELU "y" as integer',
    ],
    'static-w8a8-iou8': [
      'make "x" uint8 0.1/0',
      'convert "x" uint8 0.1/0 → int8 0.1/-128 for RELU "y".0',
      'make "y" int8 0.05/-128',
      'convert "y" int8 0.05/-128 → uint8 0.05/0 for output 0',
      'compute RELU "y" as integer',
    ],
  }
  for (const [scheme, lines] of Object.entries(cases)) {
    t.same(planned({ model, scheme, ranges }).text, lines, scheme)
  }
})

t.test('operators that copy codes carry the input parameters, not their own range', async (t) => {
  const pooled = { code: 'RESHAPE', inputs: ['y', 'shape'], outputs: { z: [4] } }
  const model = {
    ...chain([unary('RELU', 'x', 'y'), pooled], ['z']),
    constants: { shape: integers(4) },
  }
  const { text } = planned({
    model,
    scheme: 'static-w8a8-io8',
    ranges: { x: TEN, y: TEN, z: FIVE },
  })
  t.ok(text.includes('make "z" int8 0.1/-128'))
})

t.test('fixed outputs are fixed, and copies of them too', async (t) => {
  const model = {
    ...chain(
      [
        unary('SOFTMAX', 'x', 's'),
        { code: 'RESHAPE', inputs: ['s', 'shape'], outputs: { z: [4] } },
        unary('TANH', 'x', 't'),
      ],
      ['z', 't'],
    ),
    constants: { shape: integers(4) },
  }
  const ranges = { x: TEN, s: FIVE, z: FIVE, t: FIVE } as const
  const { text } = planned({ model, scheme: 'static-w8a8-io8', ranges })
  t.ok(text.includes('make "s" int8 0.003906/-128'))
  t.ok(text.includes('make "z" int8 0.003906/-128'))
  t.ok(text.includes('make "t" int8 0.007813/0'))
  const wide = planned({ model, scheme: 'static-w8a16', ranges })
  t.ok(wide.text.includes('make "t" int16 0.00003052/0'))
})

t.test('concatenation', async (t) => {
  const branches = [unary('ABS', 'x', 'a'), unary('RELU', 'x', 'b')]
  const ranges = { x: TEN, a: FIVE, b: TEN, y: TEN, z: TEN } as const
  const makes = (text: readonly string[]) => formsOf(text).filter((line) => !line.includes('"x"'))

  t.test('draws its inputs to its own scale where nobody else reads them', async (t) => {
    const model = chain([...branches, concatenation(['a', 'b'], 'y')], ['y'])
    t.same(makes(planned({ model, scheme: 'static-w8a8-io8', ranges }).text), [
      'make "a" int8 0.1/-128',
      'make "b" int8 0.1/-128',
      'make "y" int8 0.1/-128',
    ])
  })

  t.test('requantizes an input that another operator needs in finer steps', async (t) => {
    const model = chain(
      [...branches, concatenation(['a', 'b'], 'y'), unary('RELU', 'a', 'z')],
      ['y', 'z'],
    )
    t.same(makes(planned({ model, scheme: 'static-w8a8-io8', ranges }).text).slice(0, 2), [
      'make "a" int8 0.05/-128',
      'convert "a" int8 0.05/-128 → int8 0.1/-128 for CONCATENATION "y".0',
    ])
  })

  t.test('shares one scale with other readers where ranges are nearly equal', async (t) => {
    const model = chain(
      [...branches, concatenation(['a', 'b'], 'y'), unary('RELU', 'a', 'z')],
      ['y', 'z'],
    )
    const near = { ...ranges, a: [0, 24] } as const
    const lines = makes(planned({ model, scheme: 'static-w8a8-io8', ranges: near }).text)
    t.ok(lines.includes('make "a" int8 0.1/-128'))
    t.notOk(lines.some((line) => line.startsWith('convert')))
  })

  t.test('reaches through copies, and through another concatenation', async (t) => {
    const reshape = { code: 'RESHAPE', inputs: ['a', 'shape'], outputs: { r: [1, 4] } }
    const model = {
      ...chain(
        [
          ...branches,
          reshape,
          concatenation(['r', 'b'], 'y'),
          unary('ELU', 'x', 'c'),
          concatenation(['y', 'c'], 'z'),
        ],
        ['z'],
      ),
      constants: { shape: integers(1, 4) },
    }
    const all = { ...ranges, r: FIVE, c: FIVE, z: [0, 51] } as const
    const lines = makes(planned({ model, scheme: 'static-w8a8-io8', ranges: all }).text)
    for (const name of ['a', 'r', 'b', 'y', 'c', 'z'])
      t.ok(lines.includes(`make "${name}" int8 0.2/-128`))
    t.notOk(lines.some((line) => line.startsWith('convert')))
  })

  t.test(
    'keeps a fixed scale that all inputs have, and requantizes where they differ',
    async (t) => {
      const gates = [unary('LOGISTIC', 'x', 'a'), unary('LOGISTIC', 'x', 'b')]
      const same = chain([...gates, concatenation(['a', 'b'], 'y')], ['y'])
      const lines = makes(planned({ model: same, scheme: 'static-w8a8-io8', ranges }).text)
      t.ok(lines.includes('make "y" int8 0.003906/-128'))
      const mixed = chain(
        [unary('LOGISTIC', 'x', 'a'), unary('TANH', 'x', 'b'), concatenation(['a', 'b'], 'y')],
        ['y'],
      )
      const both = makes(planned({ model: mixed, scheme: 'static-w8a8-io8', ranges }).text)
      t.equal(both.filter((line) => line.startsWith('convert')).length, 2)
    },
  )
})

t.test('an infinite padding takes the scale of its image', async (t) => {
  const model = {
    inputs: { x: [1, 4] },
    constants: {
      pads: { shape: [2, 2], data: Int32Array.of(0, 0, 1, 1) },
      value: { shape: [], data: Float32Array.of(Number.NEGATIVE_INFINITY) },
    },
    operators: [{ code: 'PADV2', inputs: ['x', 'pads', 'value'], outputs: { y: [1, 6] } }],
    outputs: ['y'],
  } as const
  const { text } = planned({ model, scheme: 'static-w8a8-io8', ranges: { x: TEN, y: TEN } })
  t.ok(text.includes('store "value" as int8 0.1/-128 for PADV2 "y".2'))
})

t.test('weights', async (t) => {
  const w = constant([4, 4])
  const ranges = { x: TEN, y: TEN, z: TEN } as const
  const scheme = 'static-w8a8-io8'

  t.test('are per channel, with an int32 bias; a missing bias is added', async (t) => {
    const model = {
      ...chain([dense(['x', 'w', 'b'], 'y'), dense(['y', 'w2'], 'z')], ['z']),
      constants: { w, b: constant([4]), w2: constant([4, 4]) },
    }
    t.same(formsOf(planned({ model, scheme, ranges }).text).slice(0, 4), [
      'store "w" as int8[4]@0 for FULLY_CONNECTED "y".1',
      'store "b" as int32[4]@0 for FULLY_CONNECTED "y".2',
      'store "w2" as int8[4]@0 for FULLY_CONNECTED "z".1',
      'add a bias int32[4]@0 to FULLY_CONNECTED "z"',
    ])
    const perTensor = planned({
      model,
      scheme,
      ranges,
      forms: { perChannelFullyConnected: false },
    })
    t.match(perTensor.text[0], /store "w" as int8 0\.\d+\/0 for/)
    const wide = planned({ model, scheme: 'static-w8a16', ranges })
    t.match(wide.text[1], /store "b" as int64\[4\]@0/)
  })

  t.test('that operators share are stored once, or once for each form they need', async (t) => {
    const shared = {
      ...chain([dense(['x', 'w', 'b'], 'y'), dense(['y', 'w', 'b'], 'z')], ['z']),
      constants: { w, b: constant([4]) },
    }
    const lines = formsOf(
      planned({ model: shared, scheme, ranges: { x: TEN, y: TEN, z: TEN } }).text,
    )
    t.same(lines.slice(0, 2), [
      'store "w" as int8[4]@0 for FULLY_CONNECTED "y".1, FULLY_CONNECTED "z".1',
      'store "b" as int32[4]@0 for FULLY_CONNECTED "y".2, FULLY_CONNECTED "z".2',
    ])
    // Another input scale makes another bias scale, but not another weight.
    const other = formsOf(
      planned({ model: shared, scheme, ranges: { x: TEN, y: FIVE, z: TEN } }).text,
    )
    t.equal(other.filter((line) => line.startsWith('store "w"')).length, 1)
    t.equal(other.filter((line) => line.startsWith('store "b"')).length, 2)
  })

  t.test('that a float operator reads too are stored for the integer one only', async (t) => {
    const model = {
      ...chain([dense(['x', 'w'], 'y'), dense(['x', 'w'], 'z')], ['y', 'z']),
      constants: { w },
    }
    const { text } = planned({ model, scheme, ranges, keepFloat: [{ name: 'z' }] })
    t.ok(text.includes('store "w" as int8[4]@0 for FULLY_CONNECTED "y".1'))
  })
})

t.test('operators stay in float, each with its reason', async (t) => {
  const reasonFor = (given: Parameters<typeof planned>[0]) => {
    const { findings } = planned(given).plan
    return findings.map(({ message }) => message.replace(/^.* stays in float: /, ''))
  }
  const relu = chain([unary('RELU', 'x', 'y')], ['y'])
  const scheme = 'static-w8a8'
  const ranges = { x: TEN, y: TEN } as const
  const withWeight = (data: Float32Array): ModelSpec => ({
    ...chain([dense(['x', 'w'], 'y')], ['y']),
    constants: { w: { shape: [4, 4], data } },
  })
  t.same(reasonFor({ model: relu, scheme, ranges, keepFloat: [{ kind: 'relu' }] }), [
    'as you asked',
  ])
  t.same(reasonFor({ model: relu, scheme, ranges, keepFloat: [{ pattern: /^y/ }] }), [
    'as you asked',
  ])
  t.same(reasonFor({ model: relu, scheme, ranges: { x: TEN } }), ['calibration never reached "y"'])
  t.match(reasonFor({ model: chain([unary('FLOOR', 'x', 'y')], ['y']), scheme, ranges }), [
    /no integer/,
  ])
  t.same(reasonFor({ model: withWeight(new Float32Array(16).fill(Number.NaN)), scheme, ranges }), [
    'its weight "w" holds NaN or infinite numbers',
  ])
  const computed: ModelSpec = {
    inputs: { x: [1, 4], w: [4, 4] },
    operators: [dense(['x', 'w'], 'y')],
    outputs: ['y'],
  }
  t.same(reasonFor({ model: computed, scheme, ranges: { ...ranges, w: TEN } }), [
    'its weight "w" is computed at run time',
  ])
  const empty: ModelSpec = {
    inputs: { x: [0, 4] },
    operators: [{ code: 'RELU', inputs: ['x'], outputs: { y: [0, 4] } }],
    outputs: ['y'],
  }
  t.same(reasonFor({ model: empty, scheme, ranges }), ['"x" has no elements'])
})

t.test('what runs inside a branch stays float, and so do its edges', async (t) => {
  const branch = chain([unary('RELU', 'x', 'y')], ['y'])
  const main: ModelSpec = {
    inputs: { c: { type: 'BOOL', shape: [1] }, x: [1, 4] },
    operators: [
      {
        code: 'IF',
        inputs: ['c', 'x'],
        outputs: { z: [1, 4] },
        options: { type: 'IfOptions', thenSubgraphIndex: 1, elseSubgraphIndex: 1 },
      },
    ],
    outputs: ['z'],
  }
  const { plan } = planned({
    model: [main, branch],
    scheme: 'static-w8a8',
    ranges: { x: TEN, y: TEN, z: TEN },
  })
  t.same(plan.instructions, [])
  t.match(plan.findings, [{ message: /IF/ }, { message: /inside a loop or a branch/ }])
})

t.test(
  'a float operator in the middle is fed and read through conversions, one for all readers',
  async (t) => {
    const model = chain(
      [
        unary('RELU', 'x', 'a'),
        unary('FLOOR', 'a', 'b'),
        unary('ABS', 'b', 'c'),
        unary('RELU6', 'b', 'd'),
      ],
      ['c', 'd'],
    )
    const ranges = { x: TEN, a: TEN, b: FIVE, c: FIVE, d: FIVE } as const
    const { text } = planned({ model, scheme: 'static-w8a8-io8', ranges })
    t.ok(text.includes('convert "a" int8 0.1/-128 → float32 for FLOOR "b".0'))
    t.ok(text.includes('convert "b" float32 → int8 0.05/-128 for ABS "c".0, RELU6 "d".0'))
  },
)

t.test(
  'movers among float operators stay float; at the edge of integers they do not',
  async (t) => {
    const reshape = (input: string, output: string): OperatorSpec => ({
      code: 'RESHAPE',
      inputs: [input, 'shape'],
      outputs: { [output]: [1, 4] },
    })
    const ranges = Object.fromEntries('xabcd'.split('').map((name) => [name, TEN]))
    const constants = { shape: integers(1, 4) }
    const between = chain(
      [unary('FLOOR', 'x', 'a'), reshape('a', 'b'), reshape('b', 'c'), unary('FLOOR', 'c', 'd')],
      ['d'],
    )
    const left = planned({ model: { ...between, constants }, scheme: 'static-w8a8', ranges }).plan
    t.equal(left.operators.integer, 0)
    t.match(left.findings.at(-1)?.message, /only moves numbers among float operators/)
    const beside = chain(
      [unary('FLOOR', 'x', 'a'), reshape('a', 'b'), unary('RELU', 'b', 'c')],
      ['c'],
    )
    const kept = planned({ model: { ...beside, constants }, scheme: 'static-w8a8', ranges }).plan
    t.equal(kept.operators.integer, 2)
  },
)

t.test('the same request gives the same plan', async (t) => {
  const model = chain([unary('RELU', 'x', 'y')], ['y'])
  const ranges = { x: TEN, y: TEN } as const
  const plans = [1, 2].map(() => planned({ model, scheme: 'static-w8a8', ranges }).plan)
  t.same(plans[0], plans[1])
})

t.test('scattered numbers have zero point 0, for the gaps are filled with code 0', async (t) => {
  const scatter = { code: 'SCATTER_ND', inputs: ['at', 's', 'shape'], outputs: { y: [1, 4] } }
  const model = {
    ...chain([unary('LOGISTIC', 'x', 's'), scatter], ['y']),
    constants: { at: integers(0), shape: integers(1, 4) },
  }
  const ranges = { x: TEN, s: [0, 1], y: [0, 1.27] } as const
  const { text } = planned({ model, scheme: 'static-w8a8-io8', ranges })
  t.ok(text.includes('convert "s" int8 0.003906/-128 → int8 0.01/0 for SCATTER_ND "y".1'))
  t.ok(text.includes('make "y" int8 0.01/0'))
})
