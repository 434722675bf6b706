import { tensorOf } from '../attributes.ts'
import {
  copyMessage,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../model.ts'
import { DATA_TYPES } from '../schema.ts'
import { elementCount } from '../tensor-data.ts'
import { graphsWithin } from '../walk.ts'

/** Smaller ones nobody stores differently. */
const LEAST_ELEMENTS = 64

/**
 * Moves float constants of loop bodies and branches into the main graph, whose values they see: there they are constants
 * like all others, and what two branches hold alike is one. Changes `model`.
 */
export function hoistConstants({ graph }: OnnxModel): void {
  if (graph === undefined) return
  const nested = [...graphsWithin(graph)].slice(1)
  if (nested.length === 0) return
  const taken = new Set([graph, ...nested].flatMap(namesIn))
  for (const one of nested) {
    const given = new Set([...one.input, ...one.output].map(({ name }) => name))
    const moved = [...movable(one)].filter(({ name }) => !given.has(name))
    const names = new Map<string, string>()
    for (const tensor of moved) {
      const name = freshName(tensor.name, taken)
      names.set(tensor.name, name)
      graph.initializer.push(copyMessage('TensorProto', tensor, { name }))
    }
    one.initializer = one.initializer.filter(({ name }) => !names.has(name))
    one.node = one.node.filter((node) => !names.has(nameOfConstant(node) ?? ''))
    rename(one, names)
  }
}

function* movable(graph: OnnxGraph): Generator<OnnxTensor> {
  for (const tensor of graph.initializer) if (isLarge(tensor)) yield tensor
  for (const node of graph.node) {
    const name = nameOfConstant(node)
    const tensor = name === undefined ? undefined : tensorOf(node, 'value')
    if (name !== undefined && tensor !== undefined && isLarge(tensor))
      yield copyMessage('TensorProto', tensor, { name })
  }
}

function nameOfConstant(node: OnnxNode): string | undefined {
  return node.opType === 'Constant' && node.domain === '' ? node.output[0] : undefined
}

function isLarge(tensor: OnnxTensor): boolean {
  return tensor.dataType === DATA_TYPES.float32.code && elementCount(tensor) >= LEAST_ELEMENTS
}

function namesIn({ input, initializer, node }: OnnxGraph): string[] {
  return [
    ...[...input, ...initializer].map(({ name }) => name),
    ...node.flatMap(({ output }) => output),
  ]
}

/** Branches often have constants of the same name. */
function freshName(base: string, taken: Set<string>): string {
  let name = `${base}/hoisted`
  for (let i = 1; taken.has(name); i += 1) name = `${base}/hoisted/${i}`
  taken.add(name)
  return name
}

function rename(graph: OnnxGraph, names: ReadonlyMap<string, string>): void {
  for (const one of graphsWithin(graph))
    for (const node of one.node) node.input = node.input.map((name) => names.get(name) ?? name)
}
