import { invariant } from '../../../../../shared/errors.ts'
import {
  ARRAY_OF,
  type ElementType,
  sizeOf,
  type TensorData,
} from '../../../../../shared/tensors.ts'
import {
  dataOf,
  elementTypeOf,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../../onnx/index.ts'
import type { ValueTypes } from '../../../onnx/source.ts'
import { broadcast } from '../broadcast.ts'
import { need } from '../errors.ts'

export interface Constant {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** Nodes whose result may be a scalar although their inputs are none. */
const SCALAR_MAKERS = /^(Reduce|Gather$|Squeeze$|Size$|MatMul$|Einsum$|Constant|Arg)/
/** Nodes whose result has the shape of their inputs, broadcast. */
const POINTWISE =
  /^(Add|Sub|Mul|Div|Pow|Max|Min|Mean|Sum|Mod|Equal|Less|LessOrEqual|Greater|GreaterOrEqual|And|Or|Xor|Not|Where|Cast|CastLike|Identity|Abs|Neg|Sign|Sqrt|Exp|Log|Floor|Ceil|Round|Reciprocal|Relu|Sigmoid|Tanh|Clip|Erf|Sin|Cos|IsNaN|IsInf)$/

/** Nodes whose result has the shape of their first input. */
const LIKE_FIRST =
  /^(MeanVarianceNormalization|LayerNormalization|Softmax|LogSoftmax|Gelu|Mish|Elu|Selu|Celu|Softplus|HardSwish|PRelu)$/

/** A GiB of float32: a pad of billions is a damaged file, and lowerings count along what it makes. */
const MOST_ELEMENTS = 2 ** 28

/** The prepared ONNX graph as lowerings ask it: every value's type and closed shape, constants as numbers. */
export class SourceGraph {
  readonly graph: OnnxGraph
  readonly #types: ValueTypes
  readonly #tensors: ReadonlyMap<string, OnnxTensor>
  readonly #constants = new Map<string, Constant>()
  readonly #producers: ReadonlyMap<string, OnnxNode>
  readonly #inputs: ReadonlySet<string>
  readonly #read: ReadonlySet<string>

  constructor(graph: OnnxGraph, types: ValueTypes) {
    this.graph = graph
    this.#types = types
    this.#tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
    this.#producers = new Map(
      graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)),
    )
    this.#read = new Set([
      ...graph.output.map(({ name }) => name),
      ...graph.node.flatMap((node) => node.input),
    ])
    this.#inputs = new Set(graph.input.map(({ name }) => name))
  }

  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name)
  }

  isInput(name: string): boolean {
    return this.#inputs.has(name)
  }

  /** Elements of a constant; null for computed values. Doubles come as float32, in which all is computed. */
  constant(name: string | undefined): Constant | null {
    if (!name) return null
    const known = this.#constants.get(name)
    if (known !== undefined) return known
    const tensor = this.#tensors.get(name)
    if (tensor === undefined) return null
    const stored = elementTypeOf(tensor)
    need(stored !== undefined, `constant "${name}" holds no numbers that .tflite kernels take`)
    const data = dataOf(tensor)
    const constant =
      stored === 'float64'
        ? { type: 'float32' as const, data: Float32Array.from(data as Float64Array) }
        : { type: stored, data }
    const found = { ...constant, shape: tensor.dims.map(Number) }
    this.#constants.set(name, found)
    return found
  }

  /** Small integers of a constant: axes, shapes, pads. Null where the value is computed. */
  integers(name: string | undefined): number[] | null {
    const constant = this.constant(name)
    return constant && Array.from(constant.data as ArrayLike<number | bigint>, Number)
  }

  /** In which it is computed. @throws Refusal where the value is no tensor of numbers */
  typeOf(name: string): ElementType {
    const type = this.storedTypeOf(name)
    return type === 'float64' || (type === 'float16' && this.isInput(name)) ? 'float32' : type
  }

  /** As the source has it. @throws Refusal */
  storedTypeOf(name: string): ElementType {
    const constant = this.constant(name)
    if (constant !== null) return constant.type
    const type = this.#types.get(name)?.type
    need(type !== null && type !== undefined, `"${name}" is no tensor`)
    need(type in ARRAY_OF, `"${name}" holds ${type}, which no .tflite kernel takes`)
    return type as ElementType
  }

  /** Whether a node or a caller reads the value. */
  isRead(name: string): boolean {
    return this.#read.has(name)
  }

  /** @throws Refusal where a dimension is not known before the model runs */
  shapeOf(name: string): readonly number[] {
    const constant = this.constant(name)
    if (constant !== null) return constant.shape
    const found = this.#types.get(name)
    invariant(found !== undefined, `the type of "${name}" was inferred`)
    if (found.shape === null) return this.#uninferred(name)
    need(
      found.shape.every((dim) => dim >= 0),
      `the size of "${name}" is known only when the model runs`,
    )
    need(
      sizeOf(found.shape) <= MOST_ELEMENTS,
      `"${name}" would be [${found.shape}], more than any device holds`,
    )
    return found.shape
  }

  /** Inference tells a scalar and an unknown rank alike, and does not know all it could: what makes the value tells. */
  #uninferred(name: string): readonly number[] {
    const producer = this.producer(name)
    if (producer === undefined && this.isInput(name)) return []
    const opType = producer?.domain === '' ? producer.opType : ''
    if (opType === 'Reshape') return this.#reshaped(producer as OnnxNode)
    if (SCALAR_MAKERS.test(opType)) return []
    if (LIKE_FIRST.test(opType)) return this.shapeOf(producer?.input[0] ?? '')
    need(POINTWISE.test(opType), `the rank of "${name}" is not known before the model runs`)
    const shapes = (producer as OnnxNode).input.filter(Boolean).map((one) => this.shapeOf(one))
    return broadcast(...shapes)
  }

  /** 0 keeps a size of the input, −1 is what is left (onnx, Operators: Reshape). */
  #reshaped({ input: [from = '', target = ''] }: OnnxNode): readonly number[] {
    const wanted = this.integers(target)
    need(wanted !== null, `the shape of "${from}" is asked for when the model runs`)
    const given = this.shapeOf(from)
    const sizes = wanted.map((size, axis) => (size === 0 ? (given[axis] ?? 0) : size))
    const known = sizes.filter((size) => size > 0).reduce((a, b) => a * b, 1)
    return sizes.map((size) => (size < 0 ? given.reduce((a, b) => a * b, 1) / known : size))
  }
}
