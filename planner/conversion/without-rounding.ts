import { readOnnx, writeOnnx } from '../formats/onnx/index.ts'
import { dynamicAsFloats } from '../formats/tflite/import/index.ts'

export interface Unrounded {
  readonly bytes: Uint8Array
  /** The .tflite model does not round either: no kernel finds scales while it runs as ONNX does. */
  readonly whileRunning: boolean
}

/**
 * The source without what it rounds between its operators: QuantizeLinear with the DequantizeLinear behind it, or
 * DynamicQuantizeLinear before a product. One number more or less in the last bit rounds to another code, and two
 * runtimes that both are right part from there on; without rounding they agree as float models do. Null where nothing
 * is rounded so.
 */
export function withoutRounding(source: Uint8Array): Unrounded | null {
  const model = readOnnx(source)
  const { graph } = model
  if (graph === undefined) return null
  const rounded = new Map(
    graph.node.flatMap(({ opType, input, output: [codes] }) =>
      opType === 'QuantizeLinear' && codes ? [[codes, input[0]] as const] : [],
    ),
  )
  // Of what a DequantizeLinear gives back but for rounding: name behind it, name before.
  const before = new Map(
    graph.node.flatMap(({ opType, input: [codes = ''], output: [name] }) => {
      const source = opType === 'DequantizeLinear' ? rounded.get(codes) : undefined
      return name && source ? [[name, source] as const] : []
    }),
  )
  const wasDynamic = dynamicAsFloats(graph)
  if (before.size === 0) return wasDynamic ? { bytes: writeOnnx(model), whileRunning: true } : null
  const unrounded = (name: string): string => {
    const from = before.get(name)
    return from === undefined ? name : unrounded(from)
  }
  const ends = new Set(graph.output.map(({ name }) => name))
  for (const node of graph.node) {
    node.input = node.input.map(unrounded)
    if (!before.has(node.output[0] ?? '') || !ends.has(node.output[0] ?? '')) continue
    // Its name is asked for: it stays, and passes on what it got.
    Object.assign(node, {
      opType: 'Identity',
      input: [unrounded(node.output[0] ?? '')],
      attribute: [],
    })
  }
  return { bytes: writeOnnx(model), whileRunning: wasDynamic }
}
