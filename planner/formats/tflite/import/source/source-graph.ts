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
import { readsOf, type ValueTypes } from '../../../onnx/source.ts'
import { broadcast } from '../broadcast.ts'
import { need } from '../errors.ts'

export interface Constant {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** A Loop that is not written out: its body as a graph of its own. */
export interface LoopBody {
  readonly source: SourceGraph
  /** Turn, condition, states, then what it captures. */
  readonly inputs: readonly string[]
  /** Computed values of the graph around it that the body reads. */
  readonly captured: readonly string[]
  /** Whether it goes on after a turn; null where nothing but its limit ends it. */
  readonly condition: string | null
  readonly states: readonly string[]
  /** What it gathers on its way, for each output of the loop that somebody reads. */
  readonly stacks: readonly {
    readonly at: number
    readonly result: string
    readonly turns: number
  }[]
}

/** Loops that stay loops, or why they cannot. */
export type Loops = ReadonlyMap<OnnxNode, LoopBody | string>

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
  readonly #loops: Loops
  readonly #tensors: ReadonlyMap<string, OnnxTensor>
  readonly #constants = new Map<string, Constant>()
  readonly #producers: ReadonlyMap<string, OnnxNode>
  readonly #inputs: ReadonlySet<string>
  readonly #read: ReadonlySet<string>

  constructor(graph: OnnxGraph, types: ValueTypes, loops: Loops = new Map()) {
    this.graph = graph
    this.#types = types
    this.#loops = loops
    this.#tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
    this.#producers = new Map(
      graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)),
    )
    this.#read = new Set([...graph.output.map(({ name }) => name), ...graph.node.flatMap(readsOf)])
    this.#inputs = new Set(graph.input.map(({ name }) => name))
  }

  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name)
  }

  isInput(name: string): boolean {
    return this.#inputs.has(name)
  }

  knows(name: string): boolean {
    return this.isInput(name) || this.#tensors.has(name) || this.#producers.has(name)
  }

  /** @throws Refusal with the reason why it cannot be a loop */
  loopOf(node: OnnxNode): LoopBody {
    const loop = this.#loops.get(node) ?? 'its sizes are known only when the model runs'
    need(typeof loop !== 'string', String(loop))
    return loop
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
    const isLoops = this.producer(name)?.opType === 'Loop'
    if (isLoops && found.shape.some((dim) => dim < 0)) return this.#uninferred(name)
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
    if (opType === 'Loop') return this.#carried(producer as OnnxNode, name)
    if (LIKE_FIRST.test(opType)) return this.shapeOf(producer?.input[0] ?? '')
    need(POINTWISE.test(opType), `the rank of "${name}" is not known before the model runs`)
    const shapes = (producer as OnnxNode).input.filter(Boolean).map((one) => this.shapeOf(one))
    return broadcast(...shapes)
  }

  #carried(node: OnnxNode, name: string): readonly number[] {
    const { states, stacks, source } = this.loopOf(node)
    const at = node.output.indexOf(name)
    if (at < states.length) return this.shapeOf(node.input[at + 2] ?? '')
    const stack = stacks.find((one) => one.at === at)
    return stack === undefined ? [] : [stack.turns, ...source.shapeOf(stack.result)]
  }

  /** 0 keeps a size of the input, −1 is what is left (onnx, Operators: Reshape). */
  #reshaped({ input: [from = '', target = ''] }: OnnxNode): readonly number[] {
    const wanted = this.integers(target)
    need(wanted !== null, `the shape of "${from}" is asked for when the model runs`)
    // Its input may be of a size that nobody knows yet, as what comes out of a loop.
    if (wanted.every((size) => size > 0)) return wanted
    const given = this.shapeOf(from)
    const sizes = wanted.map((size, axis) => (size === 0 ? (given[axis] ?? 0) : size))
    const known = sizes.filter((size) => size > 0).reduce((a, b) => a * b, 1)
    return sizes.map((size) => (size < 0 ? given.reduce((a, b) => a * b, 1) / known : size))
  }
}
