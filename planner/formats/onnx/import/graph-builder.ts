import { invariant } from '../../../../shared/errors.ts'
import { ARRAY_OF, type ElementType, type TensorData } from '../../../../shared/tensors.ts'
import { permuted } from '../../../graph/index.ts'
import { constantOf, type TflModel, type TflSubgraph, type TflTensor } from '../../tflite/index.ts'
import { newAttribute, newMessage, type OnnxNode, type OnnxTensor } from '../model.ts'
import type { ATTRIBUTE_TYPES } from '../schema.ts'
import { newTensor } from '../tensor-data.ts'
import { elementType } from './element-types.ts'
import { type Layout, ordersCoincide, permutation, shapeIn } from './layout.ts'

export type Attributes = Readonly<
  Record<string, readonly [type: keyof typeof ATTRIBUTE_TYPES, value: unknown]>
>

/** The ONNX graph while it grows: names, nodes, constants, and in which layouts each tensor exists. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = []
  readonly initializers: OnnxTensor[] = []
  readonly #model: TflModel
  readonly #subgraph: TflSubgraph
  readonly #values = new Map<string, string>()
  /** The layout in which the operator that computes a tensor leaves it. */
  readonly #home = new Map<number, Layout>()
  readonly #names = new Map<string, number>()

  constructor(model: TflModel, subgraph: TflSubgraph) {
    this.#model = model
    this.#subgraph = subgraph
  }

  tensor(index: number): TflTensor {
    const tensor = this.#subgraph.tensors[index]
    invariant(tensor, `tensor ${index} exists`)
    return tensor
  }

  /** -1 where a dimension is open. */
  shapeOf(index: number): readonly number[] {
    const { shape, shapeSignature } = this.tensor(index)
    return shapeSignature?.length ? shapeSignature : (shape ?? [])
  }

  typeOf(index: number): ElementType {
    return elementType(this.tensor(index).type)
  }

  /** Elements of a constant tensor; null for computed ones. */
  constant(index: number): TensorData | null {
    return constantOf(this.#model, this.tensor(index)) as TensorData | null
  }

  /** Small integers of a constant: axes, shapes, pads. */
  integers(index: number): number[] | null {
    const values = index < 0 ? null : this.constant(index)
    return values === null ? null : Array.from(values as ArrayLike<number | bigint>, Number)
  }

  /** Constants have no home: they fit any layout. */
  homeOf(index: number): Layout | undefined {
    return this.#home.get(index)
  }

  /** A name no other value has, close to what people know. */
  fresh(base: string): string {
    const count = this.#names.get(base) ?? 0
    this.#names.set(base, count + 1)
    return count === 0 ? base : this.fresh(`${base}/${count}`)
  }

  /** The name under which the operator's result is defined. */
  define(index: number, layout: Layout): string {
    const name = this.fresh(this.tensor(index).name ?? `tensor_${index}`)
    this.alias(index, layout, name)
    return name
  }

  /** `index` in `layout` is the value `name`, which exists already. */
  alias(index: number, layout: Layout, name: string): void {
    this.#values.set(`${index}:${layout}`, name)
    if (!this.#home.has(index)) this.#home.set(index, layout)
  }

  /** The tensor's value in the layout asked for; converted at most once. */
  value(index: number, layout: Layout = 'native'): string {
    const key = `${index}:${layout}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const name = this.#home.has(index)
      ? this.#converted(index, layout)
      : this.#stored(index, layout)
    this.#values.set(key, name)
    return name
  }

  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): void {
    const attribute = Object.entries(attributes).map(([name, [type, value]]) =>
      newAttribute(name, type, value),
    )
    const name = this.fresh(`${opType}:${outputs[0]}`)
    this.nodes.push(
      newMessage('NodeProto', {
        opType,
        name,
        input: [...inputs],
        output: [...outputs],
        attribute,
      }),
    )
  }

  /** A node with one result that only later nodes see. */
  compute(
    opType: string,
    inputs: readonly string[],
    near: string,
    attributes: Attributes = {},
  ): string {
    const output = this.fresh(`${near}/${opType}`)
    this.node(opType, inputs, [output], attributes)
    return output
  }

  constantValue(
    base: string,
    type: ElementType,
    shape: readonly number[],
    data: TensorData,
  ): string {
    const name = this.fresh(base)
    this.initializers.push(newTensor(name, type, shape, data))
    return name
  }

  /** int64 vector, as ONNX wants for shapes, axes and pads. */
  int64s(base: string, values: readonly number[]): string {
    return this.constantValue(base, 'int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  scalar(base: string, type: ElementType, value: number): string {
    const array = ARRAY_OF[type] as unknown as { of(value: unknown): TensorData }
    const wide = type === 'int64' || type === 'uint64'
    return this.constantValue(base, type, [], array.of(wide ? BigInt(value) : value))
  }

  #stored(index: number, layout: Layout): string {
    const data = this.constant(index)
    const shape = this.tensor(index).shape ?? []
    const base = this.tensor(index).name ?? `constant_${index}`
    invariant(data !== null, `tensor ${index} (${base}) is computed before it is used`)
    const ordered = layout === 'native' ? data : permuted(data, shape, permutation(layout))
    return this.constantValue(base, this.typeOf(index), shapeIn(layout, shape), ordered)
  }

  #converted(index: number, layout: Layout): string {
    const home = this.#home.get(index) as Layout
    const source = this.#values.get(`${index}:${home}`) as string
    const shape = this.shapeOf(index)
    if (ordersCoincide(shape) && shape.filter((dim) => dim < 0).length <= 1) {
      const target = this.int64s(`${source}/shape`, shapeIn(layout, shape))
      return this.compute('Reshape', [source, target], source)
    }
    return this.compute('Transpose', [source], source, { perm: ['ints', permutation(layout)] })
  }
}
