import type { Row } from '../../onnx/small-onnx.ts'
import { int64s, numbers } from '../../onnx/small-onnx.ts'
import { type OnnxCase, one } from './case.ts'

const IMAGE = [1, 4, 9, 7]
const ints = (...values: number[]) => ['ints', values] as const

function conv(
  title: string,
  input: readonly number[],
  weight: readonly number[],
  attributes: Row[3] = {},
  bias = true,
): OnnxCase {
  const filters = (
    title.startsWith('ConvTranspose')
      ? (weight[1] as number) * Number((attributes?.group?.[1] as number) ?? 1)
      : weight[0]
  ) as number
  const constants = { w: weight, ...(bias ? { b: [filters] } : {}) }
  return one(title, [input], attributes, {
    extra: bias ? ['w', 'b'] : ['w'],
    constants,
  } as Partial<OnnxCase>)
}

const resized = (title: string, attributes: Row[3], sizes: readonly number[] = [1, 4, 13, 11]) =>
  one(`Resize ${title}`, [IMAGE], attributes, {
    extra: ['', '', 'sizes'],
    constants: { sizes: int64s(...sizes) },
  })

const MODES = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']
const ROUNDINGS = ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil']

/** Operators that look at images through a window. */
export const WINDOW_CASES: readonly OnnxCase[] = [
  conv('Conv without padding', IMAGE, [5, 4, 3, 3]),
  conv('Conv without bias', IMAGE, [5, 4, 3, 3], {}, false),
  conv('Conv padded as SAME', IMAGE, [5, 4, 3, 3], { pads: ints(1, 1, 1, 1) }),
  conv('Conv padded and strided', [1, 4, 8, 8], [5, 4, 3, 3], {
    pads: ints(1, 1, 1, 1),
    strides: ints(2, 2),
  }),
  conv('Conv padded on one side', IMAGE, [5, 4, 3, 3], { pads: ints(0, 2, 1, 0) }),
  conv('Conv SAME_LOWER', [1, 4, 8, 8], [5, 4, 3, 3], {
    auto_pad: ['string', 'SAME_LOWER'],
    strides: ints(2, 2),
  }),
  conv('Conv dilated', IMAGE, [5, 4, 3, 3], { dilations: ints(2, 2), pads: ints(2, 2, 2, 2) }),
  conv('Conv in groups', IMAGE, [6, 2, 3, 3], { group: ['int', 2] }),
  conv('Conv depthwise', IMAGE, [4, 1, 3, 3], { group: ['int', 4] }),
  conv('Conv depthwise, multiplied', IMAGE, [8, 1, 3, 3], {
    group: ['int', 4],
    pads: ints(1, 1, 1, 1),
  }),
  conv('Conv of a signal', [2, 4, 9], [5, 4, 3], { pads: ints(1, 1), strides: ints(2) }),
  conv('Conv of a signal in groups', [2, 4, 9], [4, 1, 3], { group: ['int', 4] }),
  conv('Conv of a volume', [1, 2, 5, 6, 4], [3, 2, 3, 3, 2], { pads: ints(1, 1, 0, 1, 1, 1) }),
  conv('Conv of a volume in groups', [1, 4, 5, 6, 4], [4, 2, 2, 2, 2], { group: ['int', 2] }),
  one('Conv with computed weights', [IMAGE, [5, 4, 3, 3]]),
  conv('ConvTranspose', IMAGE, [4, 5, 3, 3], { strides: ints(2, 2) }),
  conv('ConvTranspose padded', IMAGE, [4, 5, 4, 4], {
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
  }),
  conv('ConvTranspose with output padding', IMAGE, [4, 5, 3, 3], {
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
    output_padding: ints(1, 1),
  }),
  conv('ConvTranspose far beyond its windows', IMAGE, [4, 5, 2, 2], {
    strides: ints(3, 3),
    output_padding: ints(2, 2),
  }),
  conv('ConvTranspose dilated, in groups', IMAGE, [4, 3, 3, 3], {
    group: ['int', 2],
    dilations: ints(2, 2),
  }),
  conv('ConvTranspose of a signal', [1, 4, 9], [4, 5, 4], { strides: ints(2), pads: ints(1, 1) }),
  one('MaxPool', [IMAGE], { kernel_shape: ints(3, 3), strides: ints(2, 2) }),
  one('MaxPool padded', [IMAGE], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }),
  one('MaxPool padded, strided', [[1, 4, 8, 8]], {
    kernel_shape: ints(3, 3),
    pads: ints(1, 1, 1, 1),
    strides: ints(2, 2),
  }),
  one('MaxPool rounded up', [[1, 4, 8, 8]], {
    kernel_shape: ints(3, 3),
    strides: ints(2, 2),
    ceil_mode: ['int', 1],
  }),
  one('MaxPool of a signal', [[1, 4, 9]], { kernel_shape: ints(3), pads: ints(1, 1) }),
  one('MaxPool of a volume', [[1, 2, 5, 6, 4]], {
    kernel_shape: ints(2, 3, 2),
    strides: ints(2, 1, 2),
  }),
  one('AveragePool', [IMAGE], { kernel_shape: ints(3, 2), strides: ints(2, 2) }),
  one('AveragePool padded', [IMAGE], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }),
  one('AveragePool with padding counted', [IMAGE], {
    kernel_shape: ints(3, 3),
    pads: ints(1, 1, 1, 1),
    count_include_pad: ['int', 1],
  }),
  one('AveragePool padded on one side', [IMAGE], {
    kernel_shape: ints(3, 3),
    pads: ints(2, 0, 1, 1),
    strides: ints(2, 2),
  }),
  one('AveragePool rounded up', [[1, 4, 8, 8]], {
    kernel_shape: ints(3, 3),
    strides: ints(2, 2),
    ceil_mode: ['int', 1],
  }),
  one('AveragePool of a volume', [[1, 2, 5, 6, 4]], {
    kernel_shape: ints(2, 3, 2),
    pads: ints(1, 1, 0, 0, 1, 1),
  }),
  one('GlobalAveragePool', [IMAGE]),
  one('GlobalMaxPool', [IMAGE]),
  one(
    'BatchNormalization',
    [IMAGE],
    {},
    {
      extra: ['s', 'b', 'm', 'v'],
      constants: { s: [4], b: [4], m: [4], v: numbers(0.5, 1, 1.5, 2) },
    },
  ),
  one('InstanceNormalization', [IMAGE], {}, { extra: ['s', 'b'], constants: { s: [4], b: [4] } }),
  one(
    'GroupNormalization',
    [IMAGE],
    { num_groups: ['int', 2] },
    { opset: 21, extra: ['s', 'b'], constants: { s: [4], b: [4] } },
  ),
  one('LayerNormalization', [IMAGE], {}, { extra: ['s', 'b'], constants: { s: [7], b: [7] } }),
  one(
    'LayerNormalization over all but the batch',
    [IMAGE],
    { axis: ['int', 1] },
    { extra: ['s', 'b'], constants: { s: [4, 9, 7], b: [4, 9, 7] } },
  ),
  one('RMSNormalization', [[2, 3, 8]], {}, { opset: 23, extra: ['s'], constants: { s: [8] } }),
  one('SimplifiedLayerNormalization', [[2, 3, 8]], {}, { extra: ['s'], constants: { s: [8] } }),
  one('MeanVarianceNormalization', [IMAGE]),
  {
    title: 'com.microsoft.SkipLayerNormalization and its sibling',
    inputs: { x: [2, 3, 8], y: [2, 3, 8] },
    outputs: ['a', 'b'],
    constants: { s: [8], b0: [8] },
    rows: [
      ['com.microsoft.SkipLayerNormalization', ['x', 'y', 's', 'b0'], ['a']],
      ['com.microsoft.SkipSimplifiedLayerNormalization', ['x', 'y', 's'], ['b']],
    ],
  },
  one('LRN', [IMAGE], { size: ['int', 3], alpha: ['float', 0.1] }),
  one('LpNormalization', [IMAGE], { axis: ['int', 1] }),
  ...MODES.map((mode) =>
    resized(`linear, ${mode}`, {
      mode: ['string', 'linear'],
      coordinate_transformation_mode: ['string', mode],
    }),
  ),
  ...MODES.flatMap((mode) =>
    ROUNDINGS.map((rounding) =>
      resized(`nearest, ${mode}, ${rounding}`, {
        mode: ['string', 'nearest'],
        coordinate_transformation_mode: ['string', mode],
        nearest_mode: ['string', rounding],
      }),
    ),
  ),
  resized('cubic', {
    mode: ['string', 'cubic'],
    coordinate_transformation_mode: ['string', 'half_pixel'],
  }),
  resized('cubic, nothing from outside', {
    mode: ['string', 'cubic'],
    exclude_outside: ['int', 1],
  }),
  resized('smaller', { mode: ['string', 'linear'] }, [1, 4, 5, 3]),
  one(
    'Resize by scales',
    [IMAGE],
    {
      mode: ['string', 'nearest'],
      coordinate_transformation_mode: ['string', 'asymmetric'],
      nearest_mode: ['string', 'floor'],
    },
    { extra: ['', 'scales'], constants: { scales: numbers(1, 1, 2, 2) } },
  ),
  one('DepthToSpace', [IMAGE], { blocksize: ['int', 2] }),
  one('DepthToSpace of rows and columns', [[1, 8, 3, 5]], {
    blocksize: ['int', 2],
    mode: ['string', 'CRD'],
  }),
  one('SpaceToDepth', [[1, 3, 4, 6]], { blocksize: ['int', 2] }),
]
