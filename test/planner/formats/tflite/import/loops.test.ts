import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import type { OnnxGraph } from '../../../../../planner/formats/onnx/model.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { int64s, numbers, type Row } from '../../onnx/small-onnx.ts'
import { errorOf, modelOf, type OnnxCase } from './case.ts'
import { body } from './nested.ts'

const litert = await LitertEngine.start()

t.setTimeout(0)

const int = (value: number) => ['int', value] as const

const LOOP = { turn: 'int64', going: 'bool', state: 'float32' } as const

/** A body that adds one, and goes on while all elements are below the bound. */
const below = (bound: number): OnnxGraph =>
  body(
    LOOP,
    ['on', 'next'],
    [
      ['Add', ['state', 'one'], ['next']],
      ['ReduceMax', ['next'], ['largest'], { keepdims: int(0) }],
      ['Less', ['largest', 'bound'], ['on']],
    ],
    { one: numbers(1), bound: numbers(bound) },
  )

const upTo = (bound: number, from: string, to: string): Row => [
  'Loop',
  ['', '', from],
  [to],
  { body: ['graph', below(bound)] },
]

const loop = (
  title: string,
  inner: OnnxGraph,
  { condition = '', outputs = ['out'] as readonly string[] } = {},
): OnnxCase => ({
  title,
  inputs: { x: [2, 3] },
  outputs,
  constants: { turns: int64s(5) },
  rows: [
    ['Squeeze', ['turns'], ['limit']],
    ['Loop', ['limit', condition, 'x'], outputs, { body: ['graph', inner] }],
  ],
})

const scan = (title: string, attributes: Row[3] = {}): OnnxCase => ({
  title,
  inputs: { x: [2, 3], y: [3, 4, 2] },
  outputs: ['out', 'stack'],
  rows: scanRows(attributes),
})

function scanRows(attributes: Row[3] = {}): readonly Row[] {
  return [
    [
      'Scan',
      ['x', 'y'],
      ['out', 'stack'],
      {
        num_scan_inputs: int(1),
        body: [
          'graph',
          body(
            { state: 'float32', element: 'float32' },
            ['next', 'told'],
            [
              ['ReduceMean', ['element'], ['mean'], { keepdims: int(0) }],
              ['Add', ['state', 'mean'], ['next']],
              ['Mul', ['next', 'mean'], ['told']],
            ],
          ),
        ],
        ...attributes,
      },
    ],
  ]
}

const CASES: readonly OnnxCase[] = [
  loop(
    'a count of turns, each by its number',
    body(
      LOOP,
      ['on', 'next'],
      [
        ['Identity', ['going'], ['on']],
        ['Cast', ['turn'], ['number'], { to: int(1) }],
        ['Add', ['state', 'number'], ['sum']],
        ['Tanh', ['sum'], ['next']],
      ],
    ),
  ),
  loop(
    'what is gathered on the way, and a constant of the body',
    body(
      LOOP,
      ['on', 'next', 'told'],
      [
        ['Identity', ['going'], ['on']],
        ['Mul', ['state', 'half'], ['next']],
        ['Sub', ['next', 'x'], ['told']],
      ],
      { half: numbers(0.5) },
    ),
    { outputs: ['out', 'stack'] },
  ),
  loop('a condition that ends it earlier', below(3.3)),
  scan('a scan'),
  scan('a scan backwards, along other axes', {
    scan_input_axes: ['ints', [1]],
    scan_input_directions: ['ints', [1]],
    scan_output_axes: ['ints', [-1]],
    scan_output_directions: ['ints', [1]],
  }),
]

t.test('loops of known length are written out', async (t) => {
  for (const one of CASES) {
    const error = await errorOf(one, litert).catch(String)
    t.ok(typeof error === 'number' && error < 2e-5, `${one.title}: ${error}`)
  }
})

const COUNT: readonly Row[] = [
  ['Mul', ['n', 'three'], ['turnsAsFloat']],
  ['Cast', ['turnsAsFloat'], ['turns'], { to: int(7) }],
  ['Squeeze', ['turns'], ['limit']],
]

/** Turns 0 to 6 times, as an input says. */
const counted = (
  title: string,
  inner: OnnxGraph,
  {
    states = ['x'] as readonly string[],
    outputs = ['out'] as readonly string[],
    before = [] as readonly Row[],
    condition = '',
  } = {},
): OnnxCase => ({
  title,
  domain: 'positive',
  inputs: { x: [2, 3], y: [2, 3], n: [1] },
  outputs,
  constants: { three: numbers(3), limited: [3], weights: [3, 80], six: int64s(6) },
  rows: [
    ...COUNT,
    ...before,
    ['Loop', ['limit', condition, ...states], outputs, { body: ['graph', inner] }],
  ],
})

const GOES: Row = ['Identity', ['going'], ['on']]

const LONG: readonly OnnxCase[] = [
  counted(
    'a count that is computed, each turn by its number',
    body(
      LOOP,
      ['on', 'next'],
      [
        GOES,
        ['Cast', ['turn'], ['number'], { to: int(1) }],
        ['Add', ['state', 'number'], ['next']],
      ],
    ),
  ),
  counted(
    'a body that reads what was computed before it, and constants of its own and of others',
    body(
      LOOP,
      ['on', 'next'],
      [
        GOES,
        ['MatMul', ['state', 'weights'], ['wide']],
        ['ReduceMean', ['wide'], ['mean'], { axes: ['ints', [1]] }],
        ['Add', ['mean', 'before'], ['sum']],
        ['Mul', ['sum', 'half'], ['product']],
        ['Add', ['product', 'limited'], ['next']],
      ],
      { half: numbers(0.5) },
    ),
    { before: [['Sin', ['y'], ['before']]] },
  ),
  counted(
    'values that change places, one that stays, and one that becomes a constant',
    body(
      { turn: 'int64', going: 'bool', a: 'float32', b: 'float32', c: 'float32', d: 'float32' },
      ['on', 'b', 'a', 'c', 'four'],
      [GOES],
      { four: new Float32Array(6).fill(4) },
    ),
    {
      states: ['x', 'y', 'x', 'flat'],
      outputs: ['one', 'two', 'three_', 'four_'],
      before: [['Reshape', ['y', 'six'], ['flat']]],
    },
  ),
  counted('a condition besides a limit, and one that holds from the beginning or not', below(4.3), {
    condition: 'begins',
    before: [
      ['ReduceMax', ['x'], ['most'], { keepdims: int(0) }],
      ['Less', ['most', 'three'], ['begun']],
      ['Squeeze', ['begun'], ['begins']],
    ],
  }),
  {
    title: 'a loop that only its condition ends, and what follows it',
    domain: 'positive',
    inputs: { x: [2, 3] },
    outputs: ['y'],
    rows: [upTo(900, 'x', 'out'), ['Softmax', ['out'], ['y']]],
  },
  {
    title: 'a loop that goes on with what another made',
    domain: 'positive',
    inputs: { x: [2, 3] },
    outputs: ['y'],
    rows: [upTo(7, 'x', 'first'), upTo(12, 'first', 'y')],
  },
  counted(
    'a loop in a loop, and a convolution',
    body(
      LOOP,
      ['on', 'next'],
      [
        GOES,
        ['Reshape', ['state', 'image'], ['asImage']],
        ['Conv', ['asImage', 'kernel'], ['convolved'], { pads: ['ints', [1, 1, 1, 1]] }],
        ['Reshape', ['convolved', 'rows'], ['asRows']],
        [
          'Loop',
          ['limit', '', 'asRows'],
          ['next'],
          {
            body: [
              'graph',
              body(
                { t: 'int64', g: 'bool', s: 'float32' },
                ['o', 'r'],
                [
                  ['Identity', ['g'], ['o']],
                  ['Tanh', ['s'], ['h']],
                  ['Add', ['h', 'y'], ['r']],
                ],
              ),
            ],
          },
        ],
      ],
      { kernel: [1, 1, 3, 3], image: int64s(1, 1, 2, 3), rows: int64s(2, 3) },
    ),
  ),
  {
    ...loop(
      'what is gathered over more turns than are written out',
      body(
        LOOP,
        ['on', 'next', 'told', 'mean'],
        [
          GOES,
          ['Mul', ['state', 'most'], ['smaller']],
          ['Add', ['smaller', 'little'], ['next']],
          ['Sub', ['next', 'x'], ['told']],
          ['ReduceMean', ['told'], ['mean'], { keepdims: int(0) }],
        ],
        { most: numbers(0.99), little: numbers(0.02) },
      ),
      { outputs: ['out', 'stack', 'means'] },
    ),
    constants: { turns: int64s(600) },
  },
  { ...scan('a long scan'), inputs: { x: [2, 3], y: [700, 4, 2] }, rows: scanRows() },
  {
    ...scan('a long scan backwards, along other axes'),
    inputs: { x: [2, 3], y: [3, 600, 2] },
    rows: scanRows({
      scan_input_axes: ['ints', [1]],
      scan_input_directions: ['ints', [1]],
      scan_output_axes: ['ints', [-1]],
      scan_output_directions: ['ints', [1]],
    }),
  },
]

t.test('other loops stay loops', async (t) => {
  for (const one of LONG) {
    const { model } = await importOnnx(writeOnnx(modelOf(one)), 'loop.onnx')
    const codes = model.operatorCodes.map(({ builtinCode }) => builtinCode)
    t.ok(codes.includes('WHILE'), one.title)
    const error = await errorOf(one, litert).catch(String)
    t.ok(typeof error === 'number' && error < 2e-5, `${one.title}: ${error}`)
  }
})

const REFUSED: readonly (readonly [OnnxCase, RegExp])[] = [
  [
    counted(
      'it gathers',
      body(
        LOOP,
        ['on', 'next', 'told'],
        [GOES, ['Tanh', ['state'], ['next']], ['Sin', ['state'], ['told']]],
      ),
      { outputs: ['out', 'stack'] },
    ),
    /Loop "[^"]+" \(how much it gathers is known only when the model runs\)/,
  ],
  [
    counted(
      'it grows',
      body(
        LOOP,
        ['on', 'next'],
        [GOES, ['Concat', ['state', 'state'], ['next'], { axis: int(0) }]],
      ),
    ),
    /Loop "[^"]+" \(what it carries changes its size or its type from turn to turn\)/,
  ],
  [
    {
      ...counted(
        'it never ends',
        body(LOOP, ['on', 'next'], [GOES, ['Tanh', ['state'], ['next']]]),
      ),
      rows: [
        [
          'Loop',
          ['', '', 'x'],
          ['out'],
          { body: ['graph', body(LOOP, ['on', 'next'], [GOES, ['Tanh', ['state'], ['next']]])] },
        ],
      ],
    },
    /Loop "[^"]+" \(it never ends\)/,
  ],
  [
    {
      ...counted(
        'it is too long',
        body(LOOP, ['on', 'next'], [GOES, ['Tanh', ['state'], ['next']]]),
      ),
      constants: { turns: int64s(2 ** 50) },
      rows: [
        ['Squeeze', ['turns'], ['limit']],
        [
          'Loop',
          ['limit', '', 'x'],
          ['out'],
          { body: ['graph', body(LOOP, ['on', 'next'], [GOES, ['Tanh', ['state'], ['next']]])] },
        ],
      ],
    },
    /Loop "[^"]+" \(it turns 1125899906842624 times, which nobody waits for\)/,
  ],
]

t.test('loops that no WHILE can be are refused by name', async (t) => {
  for (const [one, message] of REFUSED)
    await t.rejects(
      importOnnx(writeOnnx(modelOf(one)), 'loop.onnx'),
      { code: 'unsupported-operator', message },
      one.title,
    )
})
