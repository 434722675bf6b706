import type { OperatorKind } from './operator-kinds.ts'

/**
 * What the quantizer sees of a model of any format. A view, not a copy: constants are read on demand,
 * and nothing here can change the model.
 */
export interface Graph {
  /** Indexed by `TensorId`, over all subgraphs. */
  readonly tensors: readonly GraphTensor[]
  /** Indexed by `OperatorId`; within a subgraph in order of execution. */
  readonly operators: readonly GraphOperator[]
  readonly subgraphs: readonly GraphSubgraph[]
}

export type TensorId = number
export type OperatorId = number
export type SubgraphId = number

export interface GraphSubgraph {
  readonly id: SubgraphId
  readonly name: string
  readonly inputs: readonly TensorId[]
  readonly outputs: readonly TensorId[]
  /** Whether callers run it (main, or a signature), rather than an operator such as a loop. */
  readonly entry: boolean
}

/** Element types of any format; lower case, `string` and sub-byte types included. */
export type GraphType = string

export interface GraphTensor {
  readonly id: TensorId
  readonly subgraph: SubgraphId
  readonly name: string
  readonly type: GraphType
  /** -1 where a dimension is open; null where the rank is unknown. */
  readonly shape: readonly number[] | null
  readonly constant: GraphConstant | null
  /** Affine parameters the file already has: real = scale × (q − zeroPoint). */
  readonly quantization: GraphQuantization | null
  /** Real numbers that the file says a float tensor holds, as quantization-aware training leaves them. */
  readonly range: GraphRange | null
  /** Keeps its value from one run to the next. */
  readonly variable: boolean
  /** Of constants: who reads it in graphs that are not shown. */
  readonly unseenReaders?: readonly GraphReader[]
}

/** How an operator reads a constant. */
export interface GraphReader {
  readonly kind: OperatorKind
  readonly nativeKind: string
  readonly role: InputRole
  readonly channelAxis: number | null
}

export interface GraphConstant {
  /** Tensors with equal `storage` share their bytes in the file. */
  readonly storage: number
  /** Real numbers, row-major; quantized constants come out dequantized. Null for types that are no real numbers. */
  read(): Float32Array | null
}

export interface GraphQuantization {
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
  /** Dimension the scales run along where there are several. */
  readonly axis: number
}

/**
 * What an operator uses an input for. `activation`: real numbers in a range; `weight`: a matrix of
 * symmetric codes; `bias`: added to the accumulator, so its scale follows; `shape`: sizes, axes,
 * indices, conditions, which quantization leaves alone.
 */
export const INPUT_ROLES = ['activation', 'weight', 'bias', 'shape'] as const
export type InputRole = (typeof INPUT_ROLES)[number]

export interface GraphInput {
  /** Null for an optional input that is absent. */
  readonly tensor: TensorId | null
  readonly role: InputRole
  /**
   * Weights: the dimension that counts output channels; null where a kernel takes one scale only.
   * Activations of products: the dimension that counts input channels; null for the last.
   */
  readonly channelAxis: number | null
  /** Weights only: the dimension that counts input channels; null where each output channel reads its own (depthwise). */
  readonly inputAxis: number | null
}

/** How a sliding window moves along one spatial dimension, in elements. */
export interface WindowAxis {
  /** Dimension of the weight that counts the window's taps. */
  readonly weightAxis: number
  readonly input: number
  readonly output: number
  readonly taps: number
  readonly stride: number
  readonly dilation: number
  /** Zeros put before the first element. */
  readonly padding: number
}

export type FusedActivation = 'none' | 'relu' | 'relu6' | 'relu-n1-to-1' | 'clip' | 'tanh' | 'sign'

export interface GraphOperator {
  readonly id: OperatorId
  readonly subgraph: SubgraphId
  /** For people, and to select by: the name of its first output. */
  readonly name: string
  readonly kind: OperatorKind
  /** What the format calls it, e.g. `CONV_2D`. */
  readonly nativeKind: string
  readonly inputs: readonly GraphInput[]
  readonly outputs: readonly TensorId[]
  readonly fusedActivation: FusedActivation
  /** Of convolutions with known geometry; empty for products without a window. */
  readonly window: readonly WindowAxis[] | null
  /** Why this one has no integer kernel although its kind has, e.g. a packed weight layout. */
  readonly integerObstacle: string | null
}

export interface GraphRange {
  readonly min: number
  readonly max: number
}

/** One place that reads a tensor: an operator's input, or a subgraph's output. */
export type Use =
  | { readonly kind: 'input'; readonly operator: OperatorId; readonly position: number }
  | { readonly kind: 'output'; readonly subgraph: SubgraphId; readonly position: number }
