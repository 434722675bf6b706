import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkOnnx } from '../../../../planner/formats/onnx/check.ts'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import {
  newAttribute,
  newMessage,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '../../../../planner/formats/onnx/model.ts'
import type { Dataset } from '../../../../shared/dataset/index.ts'
import {
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { noiseFor, quantizeOnnx, sqnrOf } from './quantized.ts'
import { type Row, type SmallOnnx, smallOnnx } from './small-onnx.ts'

async function small(t: Test, model: OnnxModel, data: Dataset, least = 35) {
  const float = writeOnnx(model)
  const result = await quantizeOnnx(model, 'weight-w8')
  const { bytes } = result
  t.same(checkOnnx(readOnnx(bytes)), [])
  t.ok(bytes.length < 0.35 * float.length, `${bytes.length} of ${float.length} bytes`)
  const reached = await sqnrOf(float, bytes, data)
  t.ok(reached > least, `${reached.toFixed(1)} dB`)
  return result
}

const SPEECH: SmallOnnx = {
  inputs: { x: [12, 1, 40] },
  outputs: ['y'],
  constants: {
    w: [1, 128, 40],
    r: [1, 128, 32],
    k: [32, 24, 3],
    d: [24, 48],
    table: [80, 48],
    e: [48, 48],
    grid: [12, 48],
  },
  rows: [
    ['LSTM', ['x', 'w', 'r'], ['a'], { hidden_size: ['int', 32] }],
    ['Squeeze', ['a'], ['b']],
    ['Transpose', ['b'], ['c'], { perm: ['ints', [1, 0]] }],
    ['Unsqueeze', ['c', 'zero'], ['d3']],
    ['ConvTranspose', ['d3', 'k'], ['e3'], { pads: ['ints', [1, 1]] }],
    ['Squeeze', ['e3', 'zero'], ['f']],
    ['Transpose', ['f'], ['g'], { perm: ['ints', [1, 0]] }],
    ['MatMul', ['g', 'd'], ['h']],
    ['Add', ['h', 'grid'], ['i']],
    ['Einsum', ['i', 'e'], ['j'], { equation: ['string', 'ab,bc->ac'] }],
    ['Gather', ['table', 'ids'], ['l']],
    ['Add', ['j', 'l'], ['y']],
  ],
}

t.test('weight-w8: any operator, and what is added stays in float', async (t) => {
  const spec: SmallOnnx = {
    ...SPEECH,
    constants: {
      ...SPEECH.constants,
      zero: BigInt64Array.of(0n),
      ids: BigInt64Array.from({ length: 12 }, (_, i) => BigInt(5 * i)),
    },
  }
  // Indices that are computed, or the table would be folded away.
  const rows = spec.rows.map(
    (row): Row => (row[0] === 'Gather' ? ['Gather', ['table', 'places'], ['l']] : row),
  )
  const chosen: Row[] = [
    ['ReduceMax', ['x'], ['m'], { axes: ['ints', [1, 2]], keepdims: ['int', 0] }],
    ['Cast', ['m'], ['whole'], { to: ['int', 7] }],
    ['Abs', ['whole'], ['positive']],
    ['Add', ['positive', 'ids'], ['places']],
  ]
  const model = smallOnnx({ ...spec, rows: [...chosen, ...rows] })
  const { bytes, operators } = await small(t, model, noiseFor({ x: [12, 12, 1, 40] }))
  const stored = readOnnx(bytes).graph?.initializer.filter(({ dataType }) => dataType === 3) ?? []
  t.same(stored.map(({ name }) => name.split('/')[0]).sort(), ['d', 'e', 'k', 'r', 'table', 'w'])
  t.equal(operators.integer, 5)
})

/** As the runtime computes it: what depends on constants alone is gone. */
async function computed(t: Test, bytes: Uint8Array): Promise<OnnxNode[]> {
  const optimizedModelPath = join(t.testdir(), 'optimized.onnx')
  const options: OnnxruntimeLoadOptions = { optimizedModelPath }
  const session = await onnxruntime.load(bytes, options)
  await session.close()
  return readOnnx(await readFile(optimizedModelPath)).graph?.node ?? []
}

function tensorInfo(name: string, elemType: number, dims: readonly number[]) {
  const dim = dims.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }))
  return newMessage('ValueInfoProto', {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  })
}

/** A branch of its own weight, under the name that the other branch uses too. */
function branch(fill: number): OnnxGraph {
  const { graph } = smallOnnx({
    inputs: {},
    outputs: [],
    constants: { w: [48, fill] },
    rows: [
      ['MatMul', ['x', 'w'], ['a']],
      ['MatMul', ['a', 'shared'], ['b']],
    ],
  })
  if (graph === undefined) throw new TypeError('a model has a graph')
  graph.output = [tensorInfo('b', 1, [4, 48])]
  return graph
}

t.test('weight-w8: weights of branches and loop bodies, expanded once at load', async (t) => {
  const model = smallOnnx({
    inputs: { x: [4, 48] },
    outputs: ['y'],
    constants: { shared: [64, 48], half: Float32Array.of(0.5), rounds: BigInt64Array.of(3n) },
    rows: [
      ['ReduceMax', ['x'], ['m'], { keepdims: ['int', 0] }],
      ['Greater', ['m', 'half'], ['large']],
      ['If', ['large'], ['c']],
      ['Loop', ['rounds', '', 'c'], ['y']],
    ],
  })
  const body = branch(64)
  for (const node of body.node) node.input = node.input.map((one) => (one === 'x' ? 'state' : one))
  const same = newMessage('NodeProto', { opType: 'Identity', input: ['go'], output: ['again'] })
  body.node.push(same)
  body.input = [tensorInfo('i', 7, []), tensorInfo('go', 9, []), tensorInfo('state', 1, [4, 48])]
  body.output = [tensorInfo('again', 9, []), tensorInfo('b', 1, [4, 48])]
  const [, , choice, loop] = model.graph?.node ?? []
  choice?.attribute.push(
    newAttribute('then_branch', 'graph', branch(64)),
    newAttribute('else_branch', 'graph', branch(64)),
  )
  loop?.attribute.push(newAttribute('body', 'graph', body))
  const { bytes } = await small(t, model, noiseFor({ x: [4, 4, 48] }))
  const nodes = await computed(t, bytes)
  t.same(
    nodes.map(({ opType }) => opType).filter((type) => !/^(Reduce|Greater)/.test(type)),
    ['If', 'Loop'],
  )
})
