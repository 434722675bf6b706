import { newAttribute, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './model.ts'
import type { ATTRIBUTE_TYPES } from './schema.ts'

const utf8 = new TextDecoder()

function find(node: OnnxNode, name: string): OnnxAttribute | undefined {
  return node.attribute.find((attribute) => attribute.name === name)
}

export function intOf<T>(node: OnnxNode, name: string, fallback: T): number | T {
  const found = find(node, name)
  return found === undefined ? fallback : safeInteger(found.i)
}

/** INT64_MAX, which stands for "to the end", stays an integer that can go back. */
function safeInteger(value: bigint): number {
  const bound = Number.MAX_SAFE_INTEGER
  return Math.min(bound, Math.max(-bound, Number(value)))
}

export function floatOf<T>(node: OnnxNode, name: string, fallback: T): number | T {
  return find(node, name)?.f ?? fallback
}

export function intsOf(node: OnnxNode, name: string): number[] | undefined {
  return find(node, name)?.ints.map(safeInteger)
}

export function floatsOf(node: OnnxNode, name: string): number[] | undefined {
  return find(node, name)?.floats
}

export function stringOf(node: OnnxNode, name: string, fallback: string): string {
  const found = find(node, name)
  return found === undefined ? fallback : utf8.decode(found.s)
}

export function tensorOf(node: OnnxNode, name: string): OnnxTensor | undefined {
  return find(node, name)?.t
}

export function hasAttribute(node: OnnxNode, name: string): boolean {
  return find(node, name) !== undefined
}

export function setAttribute(
  node: OnnxNode,
  name: string,
  type: keyof typeof ATTRIBUTE_TYPES,
  value: unknown,
): void {
  dropAttributes(node, name)
  node.attribute.push(newAttribute(name, type, value))
}

export function dropAttributes(node: OnnxNode, ...names: string[]): void {
  node.attribute = node.attribute.filter(({ name }) => !names.includes(name))
}
