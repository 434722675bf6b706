import t from 'tap'
import {
  checkTflite,
  type TflModel,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { perform } from '../../../../../planner/formats/tflite/transform/perform.ts'
import type { Instruction, Plan } from '../../../../../planner/graph/instructions.ts'
import {
  FLOAT16,
  FLOAT32,
  type Form,
  perTensor,
} from '../../../../../planner/graph/numbers/forms.ts'
import { buildModel, constant } from '../../../quantizer/model-builder.ts'

const int8: Form = { type: 'int8', parameters: perTensor(0.1, -128) }

/** x → RELU → a → (ABS → b, NEG → c); tensors 0 x, 1 w, 2 a, 3 b, 4 c. */
const source = buildModel({
  inputs: { x: [1, 4] },
  constants: { w: constant([1, 4]) },
  operators: [
    { code: 'ADD', inputs: ['x', 'w'], outputs: { a: [1, 4] } },
    { code: 'ABS', inputs: ['a'], outputs: { b: [1, 4] } },
    { code: 'NEG', inputs: ['a'], outputs: { c: [1, 4] } },
  ],
  outputs: ['b', 'c'],
  signature: 'serving_default',
})

function performed(...instructions: Instruction[]): TflModel {
  const plan: Plan = { instructions, findings: [], operators: { total: 3, integer: 0, float: 3 } }
  const before = writeTflite(source)
  const model = perform(source, plan)
  t.same(writeTflite(source), before, 'the source stays as it was')
  t.same(checkTflite(model), [])
  return model
}

/** `ADD x w → a` of every operator in order. */
function operatorsOf(model: TflModel): string[] {
  const [subgraph] = model.subgraphs
  const name = (i: number) => subgraph?.tensors[i]?.name ?? '-'
  return (subgraph?.operators ?? []).map((operator) => {
    const code = model.operatorCodes[operator.opcodeIndex]?.builtinCode
    return `${code} ${operator.inputs.map(name).join(' ')} → ${operator.outputs.map(name).join(' ')}`
  })
}

const use = (operator: number, position = 0) => ({ kind: 'input', operator, position }) as const
const output = (position: number) => ({ kind: 'output', subgraph: 0, position }) as const

t.test('a conversion stands before its first reader and serves them all', async (t) => {
  const model = performed(
    { verb: 'set-activation', tensor: 2, form: int8 },
    { verb: 'convert', tensor: 2, from: int8, to: FLOAT32, uses: [use(1), use(2)] },
  )
  t.same(operatorsOf(model), [
    'ADD x w → a',
    'DEQUANTIZE a → a_float32',
    'ABS a_float32 → b',
    'NEG a_float32 → c',
  ])
  t.match(model.subgraphs[0]?.tensors[2], {
    name: 'a',
    type: 'INT8',
    quantization: { scale: [Math.fround(0.1)], zeroPoint: [-128n] },
  })
})

t.test('a converted output keeps the name its callers know, in the signature too', async (t) => {
  const model = performed(
    { verb: 'set-activation', tensor: 3, form: int8 },
    { verb: 'convert', tensor: 3, from: int8, to: FLOAT32, uses: [output(0)] },
  )
  t.same(operatorsOf(model).slice(1), ['ABS a → b_int8', 'NEG a → c', 'DEQUANTIZE b_int8 → b'])
  const [subgraph] = model.subgraphs
  const [first] = subgraph?.outputs ?? []
  t.same(model.signatureDefs[0]?.outputs[0], { name: 'b', tensorIndex: first })
  t.equal(subgraph?.tensors[first ?? -1]?.type, 'FLOAT32')
})

t.test('an input is converted behind its own name', async (t) => {
  const model = performed({ verb: 'convert', tensor: 0, from: FLOAT32, to: int8, uses: [use(0)] })
  t.equal(operatorsOf(model)[0], 'QUANTIZE x → x_int8')
})

t.test('a constant keeps its name when no one reads the original any more', async (t) => {
  const model = performed({ verb: 'store-constant', tensor: 1, form: int8, uses: [use(0, 1)] })
  t.equal(operatorsOf(model)[0], 'ADD x w → a')
  const w = model.subgraphs[0]?.tensors.find(({ name }) => name === 'w')
  t.equal(w?.type, 'INT8')
  t.equal(model.buffers[w?.buffer ?? 0]?.data?.length, 4)
})

t.test('a constant may be stored in one form and read in another', async (t) => {
  const model = performed(
    { verb: 'store-constant', tensor: 1, form: FLOAT16, uses: [] },
    { verb: 'convert', tensor: 1, from: FLOAT16, to: FLOAT32, uses: [use(0, 1)] },
  )
  t.same(operatorsOf(model).slice(0, 2), ['DEQUANTIZE w → w_float32', 'ADD x w_float32 → a'])
  t.same(
    model.operatorCodes.map(({ builtinCode, version }) => `${builtinCode} ${version}`).slice(0, 1),
    ['DEQUANTIZE 3'],
  )
})

t.test('numbers that a recovery method revised are written instead of the file’s', async (t) => {
  const values = Float32Array.of(0, 0.1, 12.7, 25.5)
  const model = performed({
    verb: 'store-constant',
    tensor: 1,
    form: int8,
    uses: [use(0, 1)],
    values,
  })
  const w = model.subgraphs[0]?.tensors.find(({ name }) => name === 'w')
  const data = model.buffers[w?.buffer ?? 0]?.data ?? new Uint8Array(0)
  t.same([...new Int8Array(data.buffer, data.byteOffset, 4)], [-128, -127, -1, 127])
})

t.test('the release note is written once', async (t) => {
  const once = performed({ verb: 'convert', tensor: 0, from: FLOAT32, to: int8, uses: [use(0)] })
  const plan: Plan = {
    instructions: [],
    findings: [],
    operators: { total: 0, integer: 0, float: 0 },
  }
  const twice = perform(once, plan)
  t.same(
    twice.metadata.map(({ name }) => name),
    ['min_runtime_version'],
  )
})
