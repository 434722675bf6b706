import { invariant } from '../../../../shared/errors.ts'
import { ARRAY_OF, type ElementType, sizeOf, type TensorData } from '../../../../shared/tensors.ts'
import { permuted } from '../../../graph/index.ts'
import type { DraftOperator, DraftSubgraph, DraftTensor } from '../draft.ts'
import { need } from './errors.ts'
import { hasChannels, keepsOrder, type Layout, toLast, toSource } from './layout.ts'
import { optionsTable } from './options.ts'
import type { SourceGraph } from './source/source-graph.ts'

export type Options = Readonly<Record<string, unknown>>

/** The .tflite graph while it grows: tensors, operators, constants, and in which layouts each value of the source exists. */
export class GraphBuilder {
  readonly source: SourceGraph
  readonly tensors: DraftTensor[] = []
  readonly operators: DraftOperator[] = []
  readonly #values = new Map<string, DraftTensor>()
  /** The layout in which the operator that computes a value leaves it. */
  readonly #home = new Map<string, Layout>()
  /** Tensors that carry the name of a value; others only lean on one. */
  readonly named = new Set<DraftTensor>()

  /** What stands behind the main one in the file: conditions and bodies of loops. */
  readonly subgraphs: DraftSubgraph[]

  constructor(source: SourceGraph, subgraphs: DraftSubgraph[] = []) {
    this.source = source
    this.subgraphs = subgraphs
  }

  /** A graph inside an operator, which sees nothing of this one. */
  inner(source: SourceGraph): GraphBuilder {
    return new GraphBuilder(source, this.subgraphs)
  }

  /** Closed, in the order of the source. @throws Refusal */
  shapeOf(name: string): readonly number[] {
    return this.source.shapeOf(name)
  }

  /** Constants have no home: they fit any layout. */
  homeOf(name: string): Layout | undefined {
    return this.#home.get(name)
  }

  /** Where each computed value of the source is to be found: a tensor of its name, in this layout. */
  homes(): ReadonlyMap<string, Layout> {
    return this.#home
  }

  /** Says that `tensor` holds value `name` in `layout`. The first to be said is the value's home. */
  give(name: string, layout: Layout, tensor: DraftTensor): void {
    this.#values.set(`${layout}:${name}`, tensor)
    if (!this.#home.has(name)) this.#home.set(name, layout)
    if (this.named.has(tensor)) return
    this.named.add(tensor)
    tensor.fields.name = name
  }

  /** The value in the layout asked for; converted at most once. */
  value(name: string, layout: Layout = 'source'): DraftTensor {
    const key = `${layout}:${name}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const home = this.#home.get(name)
    const tensor = home === undefined ? this.#stored(name, layout) : this.#turned(name, home)
    this.#values.set(key, tensor)
    return tensor
  }

  /** An operator of the file. `results` are its outputs, made with `fresh`. */
  operator(
    code: string,
    inputs: readonly (DraftTensor | null)[],
    results: readonly DraftTensor[],
    options: Options = {},
  ): void {
    const table = optionsTable(code)
    const named = table === null ? null : { ...options, type: table }
    this.operators.push({
      code: { builtinCode: code, customCode: null, version: 1 },
      fields: {
        opcodeIndex: 0,
        inputs: [],
        outputs: [],
        builtinOptions: named,
        builtinOptions2: null,
        customOptions: null,
        intermediates: null,
      },
      inputs: [...inputs],
      outputs: [...results],
      intermediates: null,
    })
  }

  /** An operator with one result. */
  compute(
    code: string,
    inputs: readonly (DraftTensor | null)[],
    shape: readonly number[],
    options: Options = {},
    type?: string,
  ): DraftTensor {
    const result = this.fresh(type ?? inputs[0]?.fields.type ?? 'FLOAT32', shape, inputs[0])
    this.operator(code, inputs, [result], options)
    return result
  }

  /** A tensor of no name yet; `near` lends it one. */
  fresh(type: string, shape: readonly number[], near?: DraftTensor | null): DraftTensor {
    const tensor: DraftTensor = {
      fields: {
        name: near?.fields.name ?? 'tensor',
        type,
        shape: [...shape],
        shapeSignature: null,
        buffer: 0,
        isVariable: false,
        quantization: null,
        sparsity: null,
        hasRank: true,
      },
      data: null,
    }
    this.tensors.push(tensor)
    return tensor
  }

  constant(
    near: string,
    type: ElementType,
    shape: readonly number[],
    data: TensorData,
  ): DraftTensor {
    const tensor = this.fresh(typeName(type), shape)
    tensor.fields.name = near
    tensor.data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    return tensor
  }

  floats(near: string, shape: readonly number[], values: readonly number[] | Float32Array) {
    return this.constant(near, 'float32', shape, Float32Array.from(values))
  }

  /** int32 vector, as kernels want for shapes, axes and pads. */
  int32s(near: string, values: readonly number[]): DraftTensor {
    return this.constant(near, 'int32', [values.length], Int32Array.from(values))
  }

  /** One number of the type that `like` has. */
  scalar(value: number, like: DraftTensor | ElementType = 'float32'): DraftTensor {
    const type = typeof like === 'string' ? like : (like.fields.type.toLowerCase() as ElementType)
    const wide = type === 'int64' || type === 'uint64'
    const array = ARRAY_OF[type] as unknown as { of(value: unknown): TensorData }
    return this.constant('scalar', type, [], array.of(wide ? BigInt(value) : value))
  }

  /** A constant of the source, seen in `shape` and put into another order. */
  reordered(name: string, order: readonly number[], shape?: readonly number[]): DraftTensor {
    const constant = this.source.constant(name)
    invariant(constant !== null, `"${name}" is a constant`)
    const seen = shape ?? constant.shape
    const data = keepsOrder(seen, order) ? constant.data : permuted(constant.data, seen, order)
    const sizes = order.map((axis) => seen[axis] as number)
    return this.constant(name, constant.type, sizes, data)
  }

  #stored(name: string, layout: Layout): DraftTensor {
    const constant = this.source.constant(name)
    invariant(constant !== null, `"${name}" is computed before it is used`)
    const axes = constant.shape.map((_, axis) => axis)
    const order = layout === 'source' ? axes : toLast(axes.length)
    return this.reordered(name, order)
  }

  #turned(name: string, home: Layout): DraftTensor {
    const from = this.#values.get(`${home}:${name}`) as DraftTensor
    const shape = from.fields.shape as number[]
    invariant(hasChannels(shape.length), `"${name}" has channels to turn`)
    return turn(this, from, home === 'source' ? toLast(shape.length) : toSource(shape.length))
  }
}

/** `perm` of a tensor: by RESHAPE where that moves no element. */
export function turn(
  graph: GraphBuilder,
  from: DraftTensor,
  order: readonly number[],
): DraftTensor {
  const shape = from.fields.shape as number[]
  const result = order.map((axis) => shape[axis] as number)
  if (order.every((axis, i) => axis === i)) return from
  if (keepsOrder(shape, order)) return reshape(graph, from, result)
  return graph.compute('TRANSPOSE', [from, graph.int32s('perm', order)], result)
}

export function reshape(
  graph: GraphBuilder,
  from: DraftTensor,
  shape: readonly number[],
): DraftTensor {
  if (sameShape(from.fields.shape as number[], shape)) return from
  need(
    sizeOf(from.fields.shape as number[]) === sizeOf(shape),
    `[${from.fields.shape}] and [${shape}] do not hold the same number of elements`,
  )
  // A shape of no numbers is no constant: to runtimes it would be computed.
  if (shape.length === 0) {
    return graph.compute('SQUEEZE', [from], [], { squeezeDims: shapeAxes(from) })
  }
  return graph.compute('RESHAPE', [from, graph.int32s('shape', shape)], shape, {
    newShape: [...shape],
  })
}

function shapeAxes(tensor: DraftTensor): number[] {
  return (tensor.fields.shape as number[]).map((_, axis) => axis)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

export function typeName(type: ElementType): string {
  return type.toUpperCase()
}
