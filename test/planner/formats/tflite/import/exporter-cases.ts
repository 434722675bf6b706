import type { Row } from '../../onnx/small-onnx.ts'
import { int64s, numbers } from '../../onnx/small-onnx.ts'
import { type OnnxCase, one } from './case.ts'

const IMAGE = [1, 4, 5, 6]
const int = (value: number) => ['int', value] as const
const float = (value: number) => ['float', value] as const
const text = (value: string) => ['string', value] as const
const texts = (...values: string[]) => ['strings', values] as const

/** A case whose rows are written out: integers and flags come by Cast from what is drawn. */
const rows = (
  title: string,
  inputs: OnnxCase['inputs'],
  list: readonly Row[],
  more: Partial<OnnxCase> = {},
): OnnxCase => ({ title, inputs, outputs: ['out'], rows: list, ...more })

const HEADS = { x: [2, 4, 3, 6], y: [2, 4, 5, 6], z: [2, 4, 5, 7] }
const flag = (from: string, to: string): Row[] => [['Greater', [from, 'zero'], [to]]]

const attention = (title: string, attributes: Row[3] = {}, inputs: OnnxCase['inputs'] = HEADS) =>
  rows(`Attention ${title}`, inputs, [['Attention', ['x', 'y', 'z'], ['out'], attributes]], {
    opset: 23,
  })

const ROWS = { x: [2, 3, 24], y: [2, 5, 12], z: [2, 5, 14] }

/** Attention as its operator says it, opset 23. */
const ATTENTION_CASES: readonly OnnxCase[] = [
  attention('of heads'),
  attention('scaled', { scale: float(0.3) }),
  attention('of the past', { is_causal: int(1) }),
  attention('with soft ends', { softcap: float(1.5) }),
  attention('of rows, heads shared', { q_num_heads: int(4), kv_num_heads: int(2) }, ROWS),
  rows(
    'Attention with a mask added',
    { ...HEADS, w: [3, 5] },
    [['Attention', ['x', 'y', 'z', 'w'], ['out']]],
    { opset: 23 },
  ),
  rows(
    'Attention with flags',
    { ...HEADS, w: [2, 1, 3, 5] },
    [...flag('w', 'seen'), ['Attention', ['x', 'y', 'z', 'seen'], ['out']]],
    { opset: 23, constants: { zero: numbers(-1.2) } },
  ),
  rows(
    'Attention that goes on',
    { ...HEADS, p: [2, 4, 2, 6], q: [2, 4, 2, 7] },
    [['Attention', ['x', 'y', 'z', '', 'p', 'q'], ['out', 'k', 'v'], { is_causal: int(1) }]],
    { opset: 23, outputs: ['out', 'k', 'v'] },
  ),
]

const PACKED = { w: [8, 24], b: [24] }
const packed = (title: string, mask: readonly number[] | null, attributes: Row[3] = {}) =>
  rows(
    `com.microsoft.Attention ${title}`,
    { x: [2, 5, 8], ...(mask && { m: mask }) },
    [
      ...(mask ? ([['Cast', ['m'], ['mask'], { to: int(6) }]] as Row[]) : []),
      [
        'com.microsoft.Attention',
        ['x', 'w', 'b', ...(mask ? ['mask'] : [])],
        ['out'],
        { num_heads: int(2), ...attributes },
      ],
    ],
    { constants: PACKED, ...(mask && { domain: 'small-integers' }) },
  )

const multiHead = (title: string, inputs: readonly string[], more: Partial<OnnxCase> = {}) =>
  rows(
    `com.microsoft.MultiHeadAttention ${title}`,
    { x: [2, 3, 8], y: [2, 5, 8], z: [2, 5, 8] },
    [['com.microsoft.MultiHeadAttention', inputs, ['out'], { num_heads: int(2) }]],
    more,
  )

/** The same as ONNX Runtime's optimiser and other exporters say it. */
const FUSED_CASES: readonly OnnxCase[] = [
  packed('of whole sequences', null),
  packed('of the past', null, { unidirectional: int(1) }),
  packed('with a mask of keys', [2, 5]),
  packed('with a mask of scores', [2, 5, 5]),
  packed('with parts of other sizes', null, { qkv_hidden_sizes: ['ints', [6, 6, 12]] }),
  multiHead('of three', ['x', 'y', 'z']),
  multiHead('with biases', ['x', 'y', 'z', 'b'], { constants: { b: [24] } }),
  multiHead('with scores added', ['x', 'y', 'z', '', '', 's'], { constants: { s: [1, 2, 3, 5] } }),
  rows(
    'com.microsoft.FastGelu with a bias',
    { x: [2, 8] },
    [['com.microsoft.FastGelu', ['x', 'b'], ['out']]],
    { constants: { b: [8] } },
  ),
  one('com.microsoft.FastGelu', [[2, 8]]),
  rows('com.microsoft.BiasGelu', { x: [2, 8] }, [['com.microsoft.BiasGelu', ['x', 'b'], ['out']]], {
    constants: { b: [8] },
  }),
  ...Object.entries({
    Relu: [],
    Sigmoid: [],
    LeakyRelu: [0.1],
    HardSigmoid: [0.1, 0.4],
    Clip: [0.1, 0.4],
  }).map(([activation, parameters]) =>
    rows(
      `com.microsoft.FusedConv with ${activation}`,
      { x: IMAGE },
      [
        [
          'com.microsoft.FusedConv',
          ['x', 'w', 'b'],
          ['out'],
          {
            activation: text(activation),
            ...(parameters.length > 0 && { activation_params: ['floats', parameters] }),
          },
        ],
      ],
      { constants: { w: [3, 4, 3, 3], b: [3] } },
    ),
  ),
  rows(
    'com.microsoft.FusedConv that adds',
    { x: IMAGE, y: [1, 3, 3, 4] },
    [['com.microsoft.FusedConv', ['x', 'w', 'b', 'y'], ['out'], { activation: text('Relu') }]],
    { constants: { w: [3, 4, 3, 3], b: [3] } },
  ),
  rows(
    'com.microsoft.FusedGemm',
    { x: [3, 4] },
    [['com.microsoft.FusedGemm', ['x', 'w', 'b'], ['out'], { activation: text('Relu') }]],
    { constants: { w: [4, 5], b: [5] } },
  ),
  rows(
    'com.microsoft.EmbedLayerNormalization',
    { x: [2, 3], y: [2, 3], m: [2, 3] },
    [
      ['Cast', ['x'], ['words'], { to: int(6) }],
      ['Cast', ['y'], ['segments'], { to: int(6) }],
      ['Cast', ['m'], ['mask'], { to: int(6) }],
      [
        'com.microsoft.EmbedLayerNormalization',
        ['words', 'segments', 'tw', 'tp', 'ts', 'g', 'b', 'mask'],
        ['out', 'count'],
      ],
      ['Cast', ['count'], ['counted'], { to: int(1) }],
    ],
    {
      domain: 'small-integers',
      outputs: ['out'],
      constants: { tw: [9, 6], tp: [4, 6], ts: [3, 6], g: [6], b: [6] },
    },
  ),
  ...[0, 1].flatMap((interleaved) => [
    rows(
      `RotaryEmbedding, interleaved ${interleaved}`,
      { x: [2, 3, 4, 8], p: [2, 4] },
      [
        ['Cast', ['p'], ['at'], { to: int(7) }],
        ['RotaryEmbedding', ['x', 'cos', 'sin', 'at'], ['out'], { interleaved: int(interleaved) }],
      ],
      { opset: 23, domain: 'small-integers', constants: { cos: [5, 4], sin: [5, 4] } },
    ),
    rows(
      `com.microsoft.RotaryEmbedding of rows, interleaved ${interleaved}`,
      { x: [2, 4, 24], p: [2, 4] },
      [
        ['Cast', ['p'], ['at'], { to: int(7) }],
        [
          'com.microsoft.RotaryEmbedding',
          ['x', 'at', 'cos', 'sin'],
          ['out'],
          { interleaved: int(interleaved) },
        ],
      ],
      { domain: 'small-integers', constants: { cos: [5, 4], sin: [5, 4] } },
    ),
  ]),
  rows(
    'RotaryEmbedding of half a row, angles given',
    { x: [2, 4, 24] },
    [
      [
        'RotaryEmbedding',
        ['x', 'cos', 'sin'],
        ['out'],
        { num_heads: int(3), rotary_embedding_dim: int(4) },
      ],
    ],
    { opset: 23, constants: { cos: [2, 4, 2], sin: [2, 4, 2] } },
  ),
]

const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const

const layer = (
  operator: keyof typeof GATES,
  title: string,
  attributes: Row[3],
  { ways = 1, lengths = '', peepholes = false } = {},
): OnnxCase => {
  const gates = GATES[operator]
  const outputs = operator === 'LSTM' ? ['y', 'h', 'c'] : ['y', 'h']
  return {
    title: `${operator} ${title}`,
    inputs: { x: [4, 3, 3], ...(lengths === 'given' && { l: [3] }) },
    outputs,
    ...(lengths === 'given' && { domain: 'small-integers' }),
    constants: {
      w: [ways, gates * 5, 3],
      r: [ways, gates * 5, 5],
      b: [ways, 2 * gates * 5],
      ...(peepholes && { p: [ways, 15] }),
      ...(lengths === 'constant' && { l: int64s(2, 4, 1) }),
    },
    rows: [
      ...(lengths === '' ? [] : ([['Cast', ['l'], ['lengths'], { to: int(6) }]] as Row[])),
      [
        operator,
        ['x', 'w', 'r', 'b', lengths === '' ? '' : 'lengths', '', ...(peepholes ? ['', 'p'] : [])],
        outputs,
        { hidden_size: int(5), ...attributes },
      ],
    ],
  }
}

const BOTH = { direction: text('bidirectional') }

/** Recurrent layers as few exporters write them. */
const RECURRENT_CASES: readonly OnnxCase[] = [
  layer('LSTM', 'with peepholes', {}, { peepholes: true }),
  layer('LSTM', 'whose gates are tied', { input_forget: int(1) }),
  layer('LSTM', 'of other activations', { activations: texts('HardSigmoid', 'Relu', 'Softsign') }),
  layer('LSTM', 'with bounds', { clip: float(0.3) }),
  layer('GRU', 'with bounds', { clip: float(0.3) }),
  layer('GRU', 'of other activations', {
    activations: texts('HardSigmoid', 'LeakyRelu'),
    activation_alpha: ['floats', [0.3, 0.2]],
    activation_beta: ['floats', [0.4]],
  }),
  layer(
    'RNN',
    'of other activations, both ways',
    {
      ...BOTH,
      activations: texts('Relu', 'Affine'),
      activation_alpha: ['floats', [0.5]],
      activation_beta: ['floats', [0.1]],
    },
    { ways: 2 },
  ),
  layer(
    'RNN',
    'of activations that bend, both ways',
    {
      ...BOTH,
      activations: texts('Elu', 'ThresholdedRelu'),
      activation_alpha: ['floats', [0.5, 0.4]],
    },
    { ways: 2 },
  ),
  layer('LSTM', 'of activations without bounds', {
    activations: texts('Sigmoid', 'Softplus', 'ScaledTanh'),
    activation_alpha: ['floats', [1.5]],
    activation_beta: ['floats', [0.7]],
  }),
  ...(['LSTM', 'GRU', 'RNN'] as const).flatMap((operator) => [
    layer(operator, 'of lengths', BOTH, { ways: 2, lengths: 'constant' }),
    layer(operator, 'of lengths that are computed', {}, { lengths: 'given' }),
    layer(
      operator,
      'of lengths, backwards',
      { direction: text('reverse') },
      { lengths: 'constant' },
    ),
  ]),
]

const resized = (title: string, attributes: Row[3], sizes: readonly number[], opset = 19) =>
  one(`Resize ${title}`, [IMAGE], attributes, {
    opset,
    extra: ['', '', 'sizes'],
    constants: { sizes: int64s(...sizes) },
  })

const cropped = (title: string, mode: string, region: readonly number[]) =>
  one(
    `Resize ${title}`,
    [IMAGE],
    {
      mode: text(mode),
      coordinate_transformation_mode: text('tf_crop_and_resize'),
      extrapolation_value: float(0.7),
    },
    {
      extra: ['region', '', 'sizes'],
      constants: { region: numbers(...region), sizes: int64s(1, 4, 7, 9) },
    },
  )

const grids = ['linear', 'nearest', 'cubic'].flatMap((mode) =>
  ['zeros', 'border', 'reflection'].flatMap((padding) =>
    [0, 1].map((corners) =>
      one(
        `GridSample ${mode}, ${padding}, corners ${corners}`,
        [
          [2, 3, 5, 6],
          [2, 3, 4, 2],
        ],
        { mode: text(mode), padding_mode: text(padding), align_corners: int(corners) },
        { opset: 20 },
      ),
    ),
  ),
)

const SAMPLING_CASES: readonly OnnxCase[] = [
  resized('smoothed, linear', { mode: text('linear'), antialias: int(1) }, [1, 4, 3, 2]),
  resized('smoothed, cubic', { mode: text('cubic'), antialias: int(1) }, [1, 4, 3, 2]),
  resized('smoothed, larger', { mode: text('linear'), antialias: int(1) }, [1, 4, 8, 11]),
  resized(
    'smoothed, nothing from outside',
    { mode: text('cubic'), antialias: int(1), exclude_outside: int(1) },
    [1, 4, 3, 2],
  ),
  ...['linear', 'nearest', 'cubic'].map((mode) =>
    resized(
      `symmetric, ${mode}`,
      { mode: text(mode), coordinate_transformation_mode: text('half_pixel_symmetric') },
      [1, 4, 8, 7],
    ),
  ),
  ...['not_larger', 'not_smaller'].map((policy) =>
    one(
      `Resize in proportion, ${policy}`,
      [IMAGE],
      {
        mode: text('linear'),
        axes: ['ints', [2, 3]],
        keep_aspect_ratio_policy: text(policy),
      },
      { opset: 18, extra: ['', '', 'sizes'], constants: { sizes: int64s(7, 9) } },
    ),
  ),
  cropped('of a region', 'linear', [0, 0, 0.2, 0.1, 1, 1, 0.9, 0.8]),
  cropped('of a region that passes the image', 'linear', [0, 0, -0.3, 0.1, 1, 1, 1.4, 1.3]),
  cropped('of a region, nearest', 'nearest', [0, 0, 0.2, -0.2, 1, 1, 1.2, 0.8]),
  ...grids,
  ...['ii->i', 'bii->b', 'ii->', 'bij,bjj->bi'].map((equation): OnnxCase => {
    const shapes = (equation.split('->')[0] ?? '')
      .split(',')
      .map((term) => [...term].map((label) => ({ b: 2, i: 3, j: 4 })[label] as number))
    return one(`Einsum ${equation}`, shapes, { equation: text(equation) })
  }),
  rows(
    'GatherND per batch',
    { x: [2, 3, 4], y: [2, 5, 1] },
    [
      ['Cast', ['y'], ['at'], { to: int(7) }],
      ['GatherND', ['x', 'at'], ['out'], { batch_dims: int(1) }],
    ],
    { domain: 'small-integers' },
  ),
  rows(
    'ScatterND that adds',
    { x: [3, 4], y: [2, 4] },
    [
      ['Unsqueeze', ['list', 'axis'], ['at']],
      ['ScatterND', ['x', 'at', 'y'], ['out'], { reduction: text('add') }],
    ],
    { opset: 18, constants: { list: int64s(2, 2), axis: int64s(1) } },
  ),
]

/** What exporters and optimisers write whole, and rarer forms. */
export const EXPORTER_CASES: readonly OnnxCase[] = [
  ...ATTENTION_CASES,
  ...FUSED_CASES,
  ...RECURRENT_CASES,
  ...SAMPLING_CASES,
]
