import type { TflUnion } from '../../../../../planner/formats/tflite/index.ts'
import { type Case, counts, fused, int, ints, noise, row, table } from './case.ts'
import { type Operand, x } from './one-operator.ts'

const axis = (type: string, value: number): TflUnion => ({ type, axis: value })
const slices = (masks: Record<string, number>): TflUnion => ({
  type: 'StridedSliceOptions',
  ...masks,
})
const mirror = (mode: string): TflUnion => ({ type: 'MirrorPadOptions', mode })
const number = (value: number): Operand => ({ ...x(), data: Float32Array.of(value) })
const half = (...values: number[]): Operand => ({
  type: 'FLOAT16',
  shape: [values.length],
  data: Uint16Array.from(values),
})

export const SHAPES: readonly Case[] = [
  row(
    'RESHAPE',
    { type: 'ReshapeOptions', newShape: [1, 24] },
    [x(1, 3, 4, 2), ints(1, 24)],
    x(1, 24),
  ),
  row(
    'RESHAPE to images',
    { type: 'ReshapeOptions', newShape: [1, 4, 3, 2] },
    [x(1, 24), ints(1, 4, 3, 2)],
    x(1, 4, 3, 2),
  ),
  row('SQUEEZE', { type: 'SqueezeOptions', squeezeDims: [1, 2] }, [x(2, 1, 1, 5)], x(2, 5)),
  row('EXPAND_DIMS', null, [x(2, 5), int(1)], x(2, 1, 5)),
  row('TRANSPOSE', null, [x(1, 3, 4, 2), ints(0, 2, 1, 3)], x(1, 4, 3, 2)),
  row('TRANSPOSE to channels first', null, [x(1, 3, 4, 2), ints(0, 3, 1, 2)], x(1, 2, 3, 4)),
  row(
    'CONCATENATION of channels',
    axis('ConcatenationOptions', 3),
    [x(1, 3, 4, 2), x(1, 3, 4, 1)],
    x(1, 3, 4, 3),
  ),
  row(
    'CONCATENATION with a constant',
    axis('ConcatenationOptions', -3),
    [x(1, 3, 4, 2), noise(1, 2, 4, 2)],
    x(1, 5, 4, 2),
  ),
  row('CONCATENATION rank 2', axis('ConcatenationOptions', 1), [x(2, 3), x(2, 4)], x(2, 7)),
  row('PAD', null, [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 0, 1, 0, 0)], x(1, 6, 5, 2)),
  row('PAD channels', null, [x(1, 3, 4, 2), table(4, 0, 0, 0, 0, 0, 0, 1, 2)], x(1, 3, 4, 5)),
  row('PAD rank 2', null, [x(2, 3), table(2, 0, 0, 1, 1)], x(2, 5)),
  row(
    'PADV2',
    null,
    [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 0, 1, 0, 0), { ...x(1), data: Float32Array.of(-7) }],
    x(1, 6, 5, 2),
  ),
  row(
    'MIRROR_PAD reflect',
    mirror('REFLECT'),
    [x(1, 4, 4, 2), table(4, 0, 0, 1, 2, 2, 1, 0, 0)],
    x(1, 7, 7, 2),
  ),
  row(
    'MIRROR_PAD symmetric',
    mirror('SYMMETRIC'),
    [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 3, 0, 0, 0)],
    x(1, 6, 7, 2),
  ),
  row(
    'MIRROR_PAD symmetric, all of it',
    mirror('SYMMETRIC'),
    [x(2, 3), table(2, 0, 0, 3, 3)],
    x(2, 9),
  ),
  row('SLICE', null, [x(1, 3, 4, 2), ints(0, 1, 0, 1), ints(1, 2, 3, 1)], x(1, 2, 3, 1)),
  row('SLICE to the end', null, [x(3, 4), ints(1, 2), ints(-1, -1)], x(2, 2)),
  row(
    'STRIDED_SLICE',
    slices({}),
    [x(1, 6, 5, 2), ints(0, 1, 0, 0), ints(1, 6, 5, 2), ints(1, 2, 3, 1)],
    x(1, 3, 2, 2),
  ),
  row(
    'STRIDED_SLICE masks',
    slices({ beginMask: 1, endMask: 2 }),
    [x(3, 4), ints(9, 1), ints(2, 9), ints(1, 1)],
    x(2, 3),
  ),
  row(
    'STRIDED_SLICE one element',
    slices({ shrinkAxisMask: 1 }),
    [x(3, 4), ints(1, 0), ints(2, 4), ints(1, 1)],
    x(4),
  ),
  row(
    'STRIDED_SLICE last element',
    slices({ shrinkAxisMask: 2 }),
    [x(3, 4), ints(0, -1), ints(3, 0), ints(1, 1)],
    x(3),
  ),
  row(
    'STRIDED_SLICE backwards',
    slices({ beginMask: 2, endMask: 2 }),
    [x(3, 4), ints(0, 0), ints(3, 0), ints(1, -1)],
    x(3, 4),
  ),
  row(
    'SPLIT',
    { type: 'SplitOptions', numSplits: 2 },
    [int(3), x(1, 3, 4, 4)],
    x(1, 3, 4, 2),
    x(1, 3, 4, 2),
  ),
  row(
    'SPLIT rank 2',
    { type: 'SplitOptions', numSplits: 3 },
    [int(-1), x(2, 6)],
    x(2, 2),
    x(2, 2),
    x(2, 2),
  ),
  row(
    'SPLIT_V',
    { type: 'SplitVOptions', numSplits: 2 },
    [x(1, 3, 4, 4), ints(1, 3), int(3)],
    x(1, 3, 4, 1),
    x(1, 3, 4, 3),
  ),
  row('PACK', { type: 'PackOptions', valuesCount: 2, axis: 1 }, [x(2, 3), x(2, 3)], x(2, 2, 3)),
  row('UNPACK', { type: 'UnpackOptions', num: 2, axis: 1 }, [x(3, 2, 4)], x(3, 4), x(3, 4)),
  row(
    'UNPACK image',
    { type: 'UnpackOptions', num: 2, axis: -1 },
    [x(1, 3, 4, 2)],
    x(1, 3, 4),
    x(1, 3, 4),
  ),
  row('GATHER', axis('GatherOptions', 1), [x(2, 5), ints(4, 0, 2)], x(2, 3)),
  row(
    'GATHER of channels',
    axis('GatherOptions', 3),
    [x(1, 3, 4, 5), ints(4, 0, 2)],
    x(1, 3, 4, 3),
  ),
  row('GATHER_ND', null, [x(3, 4), table(2, 0, 1, 2, 3)], x(2)),
  row('TILE', null, [x(1, 2, 3, 2), ints(1, 2, 1, 3)], x(1, 4, 3, 6)),
  row('BROADCAST_TO', null, [x(2, 1), ints(3, 2, 4)], x(3, 2, 4)),
  row(
    'CAST to int',
    { type: 'CastOptions', inDataType: 'FLOAT32', outDataType: 'INT32' },
    [x(1, 2, 3, 2)],
    counts(1, 2, 3, 2),
  ),
  row(
    'CAST to float',
    { type: 'CastOptions', inDataType: 'INT32', outDataType: 'FLOAT32' },
    [counts(2, 3)],
    x(2, 3),
  ),
  row(
    'ADD of halves',
    fused('AddOptions', 'NONE'),
    [x(2, 3), half(0x3c00, 0xc000, 0x3555)],
    x(2, 3),
  ),
  row(
    'GATHER in batches',
    { type: 'GatherOptions', axis: 1, batchDims: 1 },
    [x(2, 5, 3), table(2, 4, 0, 2, 1)],
    x(2, 2, 3),
  ),
  row('REVERSE_V2', null, [x(1, 3, 4, 2), ints(1, 2)], x(1, 3, 4, 2)),
  row('SPACE_TO_BATCH_ND', null, [x(2, 3, 5, 2), ints(2, 3), table(2, 0, 1, 1, 0)], x(12, 2, 2, 2)),
  row('BATCH_TO_SPACE_ND', null, [x(12, 2, 2, 2), ints(2, 3), table(2, 0, 1, 1, 0)], x(2, 3, 5, 2)),
  row('TOPK_V2', null, [x(2, 7), int(3)], x(2, 3), counts(2, 3)),
  row(
    'ONE_HOT',
    { type: 'OneHotOptions', axis: -1 },
    [counts(2, 3), int(4), number(2), number(-1)],
    x(2, 3, 4),
  ),
  row('SCATTER_ND twice into one place', null, [table(3, 1, 0, 1), x(3, 2), ints(4, 2)], x(4, 2)),
  row('FILL', null, [ints(2, 3), x()], x(2, 3)),
  {
    ...row('SHAPE', { type: 'ShapeOptions', outType: 'INT32' }, [x(1, 3, 4, 2)], counts(4)),
    openOnly: true,
  },
]
