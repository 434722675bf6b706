import { newMessage, newTensor, writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { GraphEditor } from '../../../../planner/formats/onnx/prepare/graph-editor.ts'
import { smallOnnx } from '../../../planner/formats/onnx/small-onnx.ts'
import { normalNumbers } from '../random.ts'

const LENGTH = 64
const WIDTH = 256
const INNER = 4 * WIDTH
const LAYERS = 2

/** A transformer encoder of one head with generated weights, [1, 64, 256] in and out. */
export function encoder(): Uint8Array {
  const model = smallOnnx({ inputs: { x: [1, LENGTH, WIDTH] }, outputs: ['y'], rows: [] })
  const graph = model.graph ?? newMessage('GraphProto', {})
  const editor = new GraphEditor(graph)
  let seed = 1
  const weight = (rows: number, columns: number) => {
    const name = `w${seed}`
    const numbers = normalNumbers(rows * columns, seed).map((n) => n / Math.sqrt(rows))
    graph.initializer.push(newTensor(name, 'float32', [rows, columns], numbers))
    seed += 1
    return name
  }
  const vector = (value: number, size = WIDTH) => {
    const name = `v${graph.initializer.length}`
    const shape = size === 1 ? [] : [size]
    graph.initializer.push(newTensor(name, 'float32', shape, new Float32Array(size).fill(value)))
    return name
  }
  const add = (type: string, ...inputs: string[]) => {
    const name = `n${graph.node.length}`
    graph.node.push(editor.newNode(type, inputs, [name]))
    return name
  }
  const dense = (input: string, rows: number, columns: number) =>
    add('Add', add('MatMul', input, weight(rows, columns)), vector(0.01, columns))
  const normalized = (input: string) => add('LayerNormalization', input, vector(1), vector(0))
  let value = 'x'
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const [q = '', k = '', v = ''] = [1, 2, 3].map(() => dense(value, WIDTH, WIDTH))
    const turned = add('Transpose', k)
    graph.node
      .at(-1)
      ?.attribute.push(newMessage('AttributeProto', { name: 'perm', type: 7, ints: [0n, 2n, 1n] }))
    const scores = add('Mul', add('MatMul', q, turned), vector(1 / Math.sqrt(WIDTH), 1))
    const attention = add('MatMul', add('Softmax', scores), v)
    const mixed = normalized(add('Add', value, dense(attention, WIDTH, WIDTH)))
    const inner = add('Relu', dense(mixed, WIDTH, INNER))
    value = normalized(add('Add', mixed, dense(inner, INNER, WIDTH)))
  }
  graph.node.push(editor.newNode('Identity', [value], ['y']))
  const [from, to] = [graph.input[0], graph.output[0]]
  if (from?.type && to) to.type = from.type
  return writeOnnx(model)
}
