import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { newMessage, type OnnxGraph } from '../../../../../planner/formats/onnx/model.ts'
import { DATA_TYPES } from '../../../../../planner/formats/onnx/schema.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { int64s, numbers, type Row, type SmallOnnx, smallOnnx } from '../../onnx/small-onnx.ts'
import { errorOf, type OnnxCase } from './case.ts'

const litert = await LitertEngine.start()

t.setTimeout(0)

const int = (value: number) => ['int', value] as const

/** A loop's body: inputs of these types and no shape, as exporters leave them. */
function body(
  inputs: Readonly<Record<string, keyof typeof DATA_TYPES>>,
  outputs: readonly string[],
  rows: readonly Row[],
  constants: SmallOnnx['constants'] = {},
): OnnxGraph {
  const { graph } = smallOnnx({ inputs: {}, outputs, rows, constants })
  if (graph === undefined) return newMessage('GraphProto', {})
  graph.input = Object.entries(inputs).map(([name, type]) =>
    newMessage('ValueInfoProto', {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: DATA_TYPES[type].code,
            // Turn and condition are single numbers; of others nothing is said.
            ...(type !== 'float32' && { shape: { dim: [] } }),
          },
        },
      },
    }),
  )
  return graph
}

const LOOP = { turn: 'int64', going: 'bool', state: 'float32' } as const

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
  rows: [
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
  ],
})

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
  loop(
    'a condition that ends it earlier',
    body(
      LOOP,
      ['on', 'next'],
      [
        ['Add', ['state', 'one'], ['next']],
        ['ReduceMax', ['next'], ['largest'], { keepdims: int(0) }],
        ['Less', ['largest', 'bound'], ['on']],
      ],
      { one: numbers(1), bound: numbers(3.3) },
    ),
  ),
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

t.test('a loop whose length is computed is refused by name', async (t) => {
  const inner = body(
    LOOP,
    ['on', 'next'],
    [
      ['Identity', ['going'], ['on']],
      ['Tanh', ['state'], ['next']],
    ],
  )
  const model = smallOnnx({
    inputs: { x: [2, 3], n: [1] },
    outputs: ['out'],
    rows: [
      ['Cast', ['n'], ['turns'], { to: int(7) }],
      ['Squeeze', ['turns'], ['limit']],
      ['Loop', ['limit', '', 'x'], ['out'], { body: ['graph', inner] }],
    ],
  })
  await t.rejects(importOnnx(writeOnnx(model), 'loop.onnx'), {
    code: 'unsupported-operator',
    message: /Loop "[^"]+" \(how often it turns is known only when the model runs/,
  })
})
