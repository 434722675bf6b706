import { readOnnx, writeOnnx } from '../formats/onnx/index.ts'

/**
 * The source without what it rounds between its operators: QuantizeLinear with the DequantizeLinear behind it. One number
 * more or less in the last bit rounds to another code, and two runtimes that both are right part from there on; without
 * rounding they agree as float models do. Null where nothing is rounded so.
 */
export function withoutRounding(source: Uint8Array): Uint8Array | null {
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
  if (before.size === 0) return null
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
  return writeOnnx(model)
}
