import { invariant } from '../../../../shared/errors.ts'
import { ARRAY_OF, type ElementType, type TensorData } from '../../../../shared/tensors.ts'
import {
  dataOf,
  elementTypeOf,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../onnx/index.ts'
import type { ValueTypes } from '../../onnx/source.ts'
import { need, Refusal } from './errors.ts'

export interface Constant {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** Nodes whose result may be a scalar although their inputs are none. */
const SCALAR_MAKERS = /^(Reduce|Gather$|Squeeze$|Reshape$|Size$|MatMul$|Einsum$|Constant|Arg)/

/** The prepared ONNX graph as lowerings ask it: every value's type and closed shape, constants as numbers. */
export class SourceGraph {
  readonly graph: OnnxGraph
  readonly #types: ValueTypes
  readonly #tensors: ReadonlyMap<string, OnnxTensor>
  readonly #constants = new Map<string, Constant>()
  readonly #producers: ReadonlyMap<string, OnnxNode>
  readonly #inputs: ReadonlySet<string>

  constructor(graph: OnnxGraph, types: ValueTypes) {
    this.graph = graph
    this.#types = types
    this.#tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
    this.#producers = new Map(
      graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)),
    )
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

  /** @throws Refusal where the value is no tensor of numbers */
  typeOf(name: string): ElementType {
    const constant = this.constant(name)
    if (constant !== null) return constant.type
    const type = this.#types.get(name)?.type
    need(type !== null && type !== undefined, `"${name}" is no tensor`)
    need(type in ARRAY_OF, `"${name}" holds ${type}, which no .tflite kernel takes`)
    return type === 'float64' && !this.isInput(name) ? 'float32' : (type as ElementType)
  }

  /** @throws Refusal where a dimension is not known before the model runs */
  shapeOf(name: string): readonly number[] {
    const constant = this.constant(name)
    if (constant !== null) return constant.shape
    const found = this.#types.get(name)
    invariant(found !== undefined, `the type of "${name}" was inferred`)
    if (found.shape === null) {
      need(this.#mayBeScalar(name), `the rank of "${name}" is not known before the model runs`)
      return []
    }
    need(
      found.shape.every((dim) => dim >= 0),
      `the size of "${name}" is known only when the model runs`,
    )
    return found.shape
  }

  /** Inference tells a scalar and an unknown rank alike: what makes the value tells them apart. */
  #mayBeScalar(name: string): boolean {
    const producer = this.producer(name)
    if (producer === undefined) return this.isInput(name)
    if (SCALAR_MAKERS.test(producer.opType)) return true
    return producer.input.every((one) => {
      if (one === '') return true
      try {
        return this.shapeOf(one).length === 0
      } catch (error) {
        if (error instanceof Refusal) return false
        throw error
      }
    })
  }
}
