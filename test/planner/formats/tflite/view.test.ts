import t from 'tap'
import { viewOf } from '../../../../planner/formats/tflite/view.ts'
import { linksOf, usesOf } from '../../../../planner/graph/links.ts'
import { buildModel, constant, integers } from '../../quantizer/model-builder.ts'

const convolution = {
  inputs: { x: [1, 5, 5, 2] },
  constants: { w: constant([3, 3, 3, 2]) },
  operators: [
    {
      code: 'CONV_2D',
      inputs: ['x', 'w'],
      outputs: { y: [1, 3, 3, 3] },
      options: {
        type: 'Conv2DOptions',
        padding: 'SAME',
        strideW: 2,
        strideH: 2,
        fusedActivationFunction: 'RELU6',
        dilationWFactor: 1,
        dilationHFactor: 1,
      },
    },
  ],
  outputs: ['y'],
} as const

t.test(
  'an operator shows its kind, what each input is for, and how its window moves',
  async (t) => {
    const graph = viewOf(buildModel(convolution))
    t.match(graph.operators[0], {
      kind: 'conv',
      nativeKind: 'CONV_2D',
      name: 'y',
      fusedActivation: 'relu6',
      integerObstacle: null,
      inputs: [
        { tensor: 0, role: 'activation' },
        { tensor: 1, role: 'weight', channelAxis: 0, inputAxis: 3 },
        { tensor: null, role: 'bias' },
      ],
      window: [
        { weightAxis: 1, input: 5, output: 3, taps: 3, stride: 2, dilation: 1, padding: 1 },
        { weightAxis: 2 },
      ],
    })
  },
)

t.test('tensors show constants as real numbers, and who reads them', async (t) => {
  const model = buildModel(convolution)
  const graph = viewOf(model)
  t.equal(graph.tensors[0]?.constant, null)
  t.equal(graph.tensors[1]?.constant?.read()?.length, 54)
  t.same(usesOf(linksOf(graph), 1), [{ kind: 'input', operator: 0, position: 1 }])
  t.same(usesOf(linksOf(graph), 2), [{ kind: 'output', subgraph: 0, position: 0 }])
})

t.test(
  'integer constants come out dequantized, along their axis; indices do not come out',
  async (t) => {
    const model = buildModel({
      ...convolution,
      constants: {
        w: { shape: [2, 2], data: Int8Array.of(1, -2, 3, -4) },
        i: integers(1, 2),
      },
      operators: [],
      outputs: ['x'],
    })
    const [, w] = model.subgraphs[0]?.tensors ?? []
    if (w === undefined) throw new Error('the spec has a weight')
    w.quantization = {
      min: null,
      max: null,
      scale: Float32Array.of(0.5, 2),
      zeroPoint: BigInt64Array.of(0n, 1n),
      quantizedDimension: 0,
      details: null,
    }
    const graph = viewOf(model)
    t.same([...(graph.tensors[1]?.constant?.read() ?? [])], [0.5, -1, 4, -10])
    t.equal(graph.tensors[2]?.constant?.read(), null)
  },
)

t.test('open dimensions show as -1', async (t) => {
  const graph = viewOf(buildModel({ inputs: { x: [-1, 4] }, operators: [], outputs: ['x'] }))
  t.same(graph.tensors[0]?.shape, [-1, 4])
})

t.test('subgraphs that an operator runs are no entries', async (t) => {
  const branch = {
    inputs: { a: [1] },
    operators: [{ code: 'RELU', inputs: ['a'], outputs: { b: [1] } }],
    outputs: ['b'],
  } as const
  const main = {
    inputs: { c: { type: 'BOOL', shape: [1] }, x: [1] },
    operators: [
      {
        code: 'IF',
        inputs: ['c', 'x'],
        outputs: { y: [1] },
        options: { type: 'IfOptions', thenSubgraphIndex: 1, elseSubgraphIndex: 2 },
      },
    ],
    outputs: ['y'],
  } as const
  const graph = viewOf(buildModel(main, branch, branch))
  t.same(
    graph.subgraphs.map((subgraph) => subgraph.entry),
    [true, false, false],
  )
  t.equal(graph.operators[0]?.kind, 'control-flow')
  t.same(
    graph.operators.map(({ id, subgraph }) => [id, subgraph]),
    [
      [0, 0],
      [1, 1],
      [2, 2],
    ],
  )
})

t.test('options without an integer kernel are obstacles', async (t) => {
  const options = (fused: string) => ({ type: 'AddOptions', fusedActivationFunction: fused })
  for (const [fused, expected] of [
    ['TANH', 'no integer kernel fuses TANH into it'],
    ['RELU', null],
  ] as const) {
    const graph = viewOf(
      buildModel({
        inputs: { x: [2] },
        operators: [
          { code: 'ADD', inputs: ['x', 'x'], outputs: { y: [2] }, options: options(fused) },
        ],
        outputs: ['y'],
      }),
    )
    t.equal(graph.operators[0]?.integerObstacle, expected)
  }
})

t.test('an operator that no table names is shown as it is', async (t) => {
  const graph = viewOf(
    buildModel({
      inputs: { x: [2] },
      operators: [{ code: 'SIN', inputs: ['x'], outputs: { y: [2] } }],
      outputs: ['y'],
    }),
  )
  t.match(graph.operators[0], {
    kind: 'other',
    nativeKind: 'SIN',
    inputs: [{ role: 'activation' }],
  })
})
