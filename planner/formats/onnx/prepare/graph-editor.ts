import type { ElementType, TensorData } from '../../../../shared/tensors.ts'
import {
  newAttribute,
  newMessage,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../model.ts'
import type { ATTRIBUTE_TYPES } from '../schema.ts'
import type { ValueType, ValueTypes } from '../shapes/infer.ts'
import { newTensor } from '../tensor-data.ts'
import { readInside } from '../walk.ts'

export type Attributes = Readonly<
  Record<string, readonly [type: keyof typeof ATTRIBUTE_TYPES, value: unknown]>
>

interface Index {
  readonly producers: ReadonlyMap<string, OnnxNode>
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>
  readonly constants: ReadonlyMap<string, OnnxTensor>
  /** Names that nested graphs read. */
  readonly captured: ReadonlySet<string>
}

/** One graph under change: who makes and reads each value, and the few ways in which rules change it. */
export class GraphEditor {
  readonly graph: OnnxGraph
  readonly #types: ValueTypes
  #index: Index | undefined
  readonly #taken: Set<string>
  readonly #own: ReadonlySet<OnnxTensor>

  /** @param own constants whose memory is nobody else's */
  constructor(graph: OnnxGraph, types: ValueTypes = new Map(), own: readonly OnnxTensor[] = []) {
    this.graph = graph
    this.#types = types
    this.#own = new Set(own)
    this.#taken = new Set([
      ...graph.input.map(({ name }) => name),
      ...graph.initializer.map(({ name }) => name),
      ...graph.node.flatMap(({ output }) => output),
    ])
  }

  producer(value: string): OnnxNode | undefined {
    return this.#indexed().producers.get(value)
  }

  consumers(value: string): readonly OnnxNode[] {
    return this.#indexed().consumers.get(value) ?? []
  }

  constant(value: string | undefined): OnnxTensor | undefined {
    return value ? this.#indexed().constants.get(value) : undefined
  }

  /** Whether the one node that reads a constant may write over it: it is no part of the file, nor read elsewhere. */
  isSpare(constant: string): boolean {
    const tensor = this.constant(constant)
    return (
      tensor !== undefined && this.#own.has(tensor) && this.onlyConsumer(constant) !== undefined
    )
  }

  isOutput(value: string): boolean {
    return this.graph.output.some(({ name }) => name === value)
  }

  /** Whether anyone but nodes of this graph sees the value. */
  isSeenOutside(value: string): boolean {
    return this.isOutput(value) || this.#indexed().captured.has(value)
  }

  /** The one node that reads `value`, if it is seen by nobody else. */
  onlyConsumer(value: string): OnnxNode | undefined {
    const [only, ...others] = this.consumers(value)
    return others.length === 0 && !this.isSeenOutside(value) ? only : undefined
  }

  typeOf(value: string): ValueType {
    const constant = this.constant(value)
    if (constant !== undefined) return { type: null, shape: constant.dims.map(Number) }
    return this.#types.get(value) ?? { type: null, shape: null }
  }

  fresh(base: string): string {
    let name = base
    for (let i = 1; this.#taken.has(name); i += 1) name = `${base}/${i}`
    this.#taken.add(name)
    return name
  }

  addConstant(base: string, type: ElementType, shape: readonly number[], data: TensorData): string {
    const name = this.fresh(base)
    this.graph.initializer.push(newTensor(name, type, shape, data))
    this.touch()
    return name
  }

  /** int64 vector, as ONNX wants for axes, pads and shapes. */
  addInt64s(base: string, values: readonly number[]): string {
    return this.addConstant(base, 'int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  newNode(
    opType: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Attributes = {},
    domain = '',
  ): OnnxNode {
    const attribute = Object.entries(attributes).map(([name, [type, value]]) =>
      newAttribute(name, type, value),
    )
    return newMessage('NodeProto', {
      opType,
      domain,
      name: this.fresh(`${opType}:${output[0]}`),
      input: [...input],
      output: [...output],
      attribute,
    })
  }

  /** Puts `nodes` in the place of `node`. */
  replace(node: OnnxNode, ...nodes: OnnxNode[]): void {
    this.graph.node.splice(this.graph.node.indexOf(node), 1, ...nodes)
    this.touch()
  }

  insertBefore(node: OnnxNode, ...nodes: OnnxNode[]): void {
    this.graph.node.splice(this.graph.node.indexOf(node), 0, ...nodes)
    this.touch()
  }

  /** Every node that reads `from` reads `to` instead. */
  redirect(from: string, to: string): void {
    for (const node of this.consumers(from)) {
      node.input = node.input.map((name) => (name === from ? to : name))
    }
    this.touch()
  }

  /** Call after changing a node in place. */
  touch(): void {
    this.#index = undefined
  }

  #indexed(): Index {
    this.#index ??= indexOf(this.graph)
    return this.#index
  }
}

function indexOf(graph: OnnxGraph): Index {
  const producers = new Map<string, OnnxNode>()
  const consumers = new Map<string, OnnxNode[]>()
  for (const node of graph.node) {
    for (const name of node.output) producers.set(name, node)
    for (const name of new Set(node.input)) {
      const known = consumers.get(name)
      if (known === undefined) consumers.set(name, [node])
      else known.push(node)
    }
  }
  return {
    producers,
    consumers,
    captured: new Set(graph.node.flatMap(readInside)),
    constants: new Map(graph.initializer.map((tensor) => [tensor.name, tensor])),
  }
}
