import type { TflUnion } from '../../../planner/formats/tflite/index.ts'
import {
  type ConstantSpec,
  constant,
  integers,
  type ModelSpec,
  type TensorSpec,
} from './model-builder.ts'

/** One operator as a model, and what calibration data it wants. */
export interface OneOperator {
  readonly code: string
  readonly spec: ModelSpec
  /** Range of the random inputs. */
  readonly data: readonly [number, number]
}

interface Row {
  readonly in?: readonly TensorSpec[]
  readonly out: readonly number[]
  readonly outs?: Readonly<Record<string, TensorSpec>>
  readonly constants?: Readonly<Record<string, ConstantSpec>>
  /** Order of inputs where it is not the inputs, then the constants. */
  readonly order?: readonly string[]
  readonly options?: TflUnion
  readonly data?: readonly [number, number]
  readonly version?: number
}

const IMAGE = [1, 4, 4, 2] as const
const scalar = (value: number): ConstantSpec => ({ shape: [], data: Int32Array.of(value) })
const window = { padding: 'SAME', strideW: 1, strideH: 1, fusedActivationFunction: 'NONE' }
const conv = { ...window, dilationWFactor: 1, dilationHFactor: 1 }
const pool = {
  type: 'Pool2DOptions',
  padding: 'VALID',
  strideW: 2,
  strideH: 2,
  filterWidth: 2,
  filterHeight: 2,
  fusedActivationFunction: 'NONE',
}
const reducer = { type: 'ReducerOptions', keepDims: false }
const elementwise = (type: string): Row => ({
  in: [IMAGE, IMAGE],
  out: IMAGE,
  options: { type, fusedActivationFunction: 'NONE' },
})
const unary: Row = { out: IMAGE }
const positive: Row = { out: IMAGE, data: [0.5, 4] }
const compare: Row = { in: [IMAGE, IMAGE], out: IMAGE, outs: { y: { type: 'BOOL', shape: IMAGE } } }

/** Every builtin operator of the quantizer's table that has an integer form, in its smallest shape. */
const ROWS: Readonly<Record<string, Row>> = {
  CONV_2D: {
    out: [1, 4, 4, 3],
    constants: { w: constant([3, 3, 3, 2]), b: constant([3]) },
    options: { type: 'Conv2DOptions', ...conv },
  },
  DEPTHWISE_CONV_2D: {
    out: IMAGE,
    constants: { w: constant([1, 3, 3, 2]), b: constant([2]) },
    options: { type: 'DepthwiseConv2DOptions', depthMultiplier: 1, ...conv },
  },
  TRANSPOSE_CONV: {
    out: [1, 8, 8, 3],
    constants: { shape: integers(1, 8, 8, 3), w: constant([3, 3, 3, 2]) },
    order: ['shape', 'w', 'x'],
    options: { type: 'TransposeConvOptions', ...window, strideW: 2, strideH: 2 },
  },
  FULLY_CONNECTED: {
    in: [[1, 8]],
    out: [1, 4],
    constants: { w: constant([4, 8]), b: constant([4]) },
    options: {
      type: 'FullyConnectedOptions',
      fusedActivationFunction: 'NONE',
      weightsFormat: 'DEFAULT',
      keepNumDims: false,
      asymmetricQuantizeInputs: false,
    },
  },
  BATCH_MATMUL: {
    in: [
      [1, 3, 4],
      [1, 4, 5],
    ],
    out: [1, 3, 5],
    options: {
      type: 'BatchMatMulOptions',
      adjX: false,
      adjY: false,
      asymmetricQuantizeInputs: false,
    },
  },
  SOFTMAX: { in: [[1, 8]], out: [1, 8], options: { type: 'SoftmaxOptions', beta: 1 } },
  LOG_SOFTMAX: { in: [[1, 8]], out: [1, 8], options: { type: 'LogSoftmaxOptions' } },
  LOGISTIC: { ...unary, data: [-4, 4] },
  TANH: { ...unary, data: [-3, 3] },
  L2_NORMALIZATION: {
    in: [[1, 8]],
    out: [1, 8],
    options: { type: 'L2NormOptions', fusedActivationFunction: 'NONE' },
  },
  ADD: elementwise('AddOptions'),
  SUB: elementwise('SubOptions'),
  MUL: elementwise('MulOptions'),
  DIV: { ...elementwise('DivOptions'), data: [0.5, 4] },
  SQUARED_DIFFERENCE: { in: [IMAGE, IMAGE], out: IMAGE },
  MAXIMUM: { in: [IMAGE, IMAGE], out: IMAGE },
  MINIMUM: { in: [IMAGE, IMAGE], out: IMAGE },
  PRELU: { out: IMAGE, constants: { alpha: constant([1, 1, 2], 0.1, 0.3) } },
  RELU: unary,
  RELU6: { ...unary, data: [-4, 8] },
  RELU_N1_TO_1: { ...unary, data: [-2, 2] },
  RELU_0_TO_1: { ...unary, data: [-2, 2] },
  LEAKY_RELU: { ...unary, options: { type: 'LeakyReluOptions', alpha: 0.2 } },
  HARD_SWISH: { ...unary, data: [-4, 4] },
  GELU: { ...unary, options: { type: 'GeluOptions', approximate: false } },
  ELU: unary,
  ABS: unary,
  EXP: unary,
  LOG: positive,
  SQRT: positive,
  RSQRT: positive,
  MEAN: { out: [1, 2], constants: { axes: integers(1, 2) }, options: reducer },
  SUM: { out: [1, 2], constants: { axes: integers(1, 2) }, options: reducer },
  REDUCE_MAX: { out: [1, 2], constants: { axes: integers(1, 2) }, options: reducer },
  REDUCE_MIN: { out: [1, 2], constants: { axes: integers(1, 2) }, options: reducer },
  AVERAGE_POOL_2D: { out: [1, 2, 2, 2], options: pool },
  MAX_POOL_2D: { out: [1, 2, 2, 2], options: pool },
  RESIZE_BILINEAR: {
    out: [1, 8, 8, 2],
    constants: { size: integers(8, 8) },
    options: { type: 'ResizeBilinearOptions', alignCorners: false, halfPixelCenters: false },
  },
  RESIZE_NEAREST_NEIGHBOR: {
    out: [1, 8, 8, 2],
    constants: { size: integers(8, 8) },
    options: { type: 'ResizeNearestNeighborOptions', alignCorners: false, halfPixelCenters: false },
  },
  RESHAPE: { out: [1, 32], constants: { shape: integers(1, 32) } },
  SQUEEZE: { out: [4, 4, 2], options: { type: 'SqueezeOptions', squeezeDims: [0] } },
  EXPAND_DIMS: { in: [[2, 3]], out: [1, 2, 3], constants: { axis: scalar(0) } },
  TRANSPOSE: { out: [1, 2, 4, 4], constants: { order: integers(0, 3, 1, 2) } },
  SLICE: {
    out: [1, 2, 2, 2],
    constants: { begin: integers(0, 1, 1, 0), size: integers(1, 2, 2, 2) },
  },
  STRIDED_SLICE: {
    out: [1, 2, 2, 2],
    constants: {
      begin: integers(0, 0, 0, 0),
      end: integers(1, 4, 4, 2),
      steps: integers(1, 2, 2, 1),
    },
    options: {
      type: 'StridedSliceOptions',
      beginMask: 0,
      endMask: 0,
      ellipsisMask: 0,
      newAxisMask: 0,
      shrinkAxisMask: 0,
      offset: false,
    },
  },
  SPLIT: {
    out: [],
    outs: { y: [1, 4, 4, 1], z: [1, 4, 4, 1] },
    constants: { axis: scalar(3) },
    order: ['axis', 'x'],
    options: { type: 'SplitOptions', numSplits: 2 },
  },
  SPLIT_V: {
    out: [],
    outs: { y: [1, 1, 4, 2], z: [1, 3, 4, 2] },
    constants: { sizes: integers(1, 3), axis: scalar(1) },
    options: { type: 'SplitVOptions', numSplits: 2 },
  },
  UNPACK: {
    in: [[2, 3]],
    out: [],
    outs: { y: [3], z: [3] },
    options: { type: 'UnpackOptions', num: 2, axis: 0 },
  },
  GATHER: {
    in: [[4, 3]],
    out: [2, 3],
    constants: { at: integers(0, 2) },
    options: { type: 'GatherOptions', axis: 0, batchDims: 0 },
  },
  GATHER_ND: {
    in: [[4, 3]],
    out: [2, 3],
    constants: { at: { shape: [2, 1], data: Int32Array.of(0, 2) } },
  },
  PAD: {
    out: [1, 6, 6, 2],
    constants: { pads: { shape: [4, 2], data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) } },
  },
  PADV2: {
    out: [1, 6, 6, 2],
    constants: {
      pads: { shape: [4, 2], data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) },
      value: { shape: [], data: Float32Array.of(0.5) },
    },
  },
  MIRROR_PAD: {
    out: [1, 6, 6, 2],
    constants: { pads: { shape: [4, 2], data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) } },
    options: { type: 'MirrorPadOptions', mode: 'REFLECT' },
  },
  TILE: { in: [[1, 4]], out: [2, 4], constants: { times: integers(2, 1) } },
  REVERSE_V2: { in: [[2, 4]], out: [2, 4], constants: { axis: integers(1) } },
  BROADCAST_TO: {
    in: [[1, 4]],
    out: [3, 4],
    constants: { shape: integers(3, 4) },
    version: 2,
  },
  SPACE_TO_BATCH_ND: {
    out: [4, 2, 2, 2],
    constants: {
      block: integers(2, 2),
      pads: { shape: [2, 2], data: Int32Array.of(0, 0, 0, 0) },
    },
  },
  BATCH_TO_SPACE_ND: {
    in: [[4, 2, 2, 2]],
    out: [1, 4, 4, 2],
    constants: {
      block: integers(2, 2),
      crops: { shape: [2, 2], data: Int32Array.of(0, 0, 0, 0) },
    },
  },
  SPACE_TO_DEPTH: { out: [1, 2, 2, 8], options: { type: 'SpaceToDepthOptions', blockSize: 2 } },
  DEPTH_TO_SPACE: {
    in: [[1, 2, 2, 8]],
    out: [1, 4, 4, 2],
    options: { type: 'DepthToSpaceOptions', blockSize: 2 },
  },
  FILL: { in: [[]], out: [2, 3], constants: { dims: integers(2, 3) }, order: ['dims', 'x'] },
  SCATTER_ND: {
    in: [[2, 3]],
    out: [4, 3],
    constants: { at: { shape: [2, 1], data: Int32Array.of(0, 2) }, shape: integers(4, 3) },
    order: ['at', 'x', 'shape'],
  },
  TOPK_V2: {
    in: [[1, 8]],
    out: [],
    outs: { y: [1, 3], at: { type: 'INT32', shape: [1, 3] } },
    constants: { k: scalar(3) },
  },
  CONCATENATION: {
    in: [IMAGE, IMAGE],
    out: [1, 4, 4, 4],
    options: { type: 'ConcatenationOptions', axis: 3, fusedActivationFunction: 'NONE' },
  },
  PACK: {
    in: [[3], [3]],
    out: [2, 3],
    options: { type: 'PackOptions', valuesCount: 2, axis: 0 },
  },
  SELECT: {
    in: [
      [1, 4],
      [1, 4],
    ],
    out: [1, 4],
    constants: { mask: { shape: [1, 4], data: Uint8Array.of(1, 0, 1, 0) } },
    order: ['mask', 'x', 'x2'],
  },
  SELECT_V2: {
    in: [
      [1, 4],
      [1, 4],
    ],
    out: [1, 4],
    constants: { mask: { shape: [1, 4], data: Uint8Array.of(1, 0, 1, 0) } },
    order: ['mask', 'x', 'x2'],
  },
  DYNAMIC_UPDATE_SLICE: {
    in: [
      [4, 4],
      [2, 2],
    ],
    out: [4, 4],
    constants: { at: integers(1, 1) },
  },
  ARG_MAX: {
    in: [[1, 8]],
    out: [],
    outs: { y: { type: 'INT32', shape: [1] } },
    constants: { axis: scalar(1) },
    options: { type: 'ArgMaxOptions', outputType: 'INT32' },
  },
  ARG_MIN: {
    in: [[1, 8]],
    out: [],
    outs: { y: { type: 'INT32', shape: [1] } },
    constants: { axis: scalar(1) },
    options: { type: 'ArgMinOptions', outputType: 'INT32' },
  },
  EQUAL: compare,
  NOT_EQUAL: compare,
  GREATER: compare,
  GREATER_EQUAL: compare,
  LESS: compare,
  LESS_EQUAL: compare,
}

export const ONE_OPERATOR_MODELS: readonly OneOperator[] = Object.entries(ROWS).map(
  ([code, row]) => {
    const inputs = row.in ?? [IMAGE]
    const names = inputs.map((_, i) => (i === 0 ? 'x' : `x${i + 1}`))
    const constants = row.constants ?? {}
    const outputs = row.outs ?? { y: row.out }
    return {
      code,
      // Off centre, so that zero points differ from 0.
      data: row.data ?? [-0.6, 1.4],
      spec: {
        inputs: Object.fromEntries(names.map((name, i) => [name, inputs[i] as TensorSpec])),
        constants,
        operators: [
          {
            code,
            version: row.version ?? 1,
            inputs: row.order ?? [...names, ...Object.keys(constants)],
            outputs,
            ...(row.options && { options: row.options }),
          },
        ],
        outputs: Object.keys(outputs),
      },
    }
  },
)
