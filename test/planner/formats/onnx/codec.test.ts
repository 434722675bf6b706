import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkOnnx } from '../../../../planner/formats/onnx/check.ts'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { OnnxError } from '../../../../planner/formats/onnx/errors.ts'
import {
  loadExternalData,
  storeExternalData,
} from '../../../../planner/formats/onnx/external-data.ts'
import { newAttribute, newMessage, type OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { dataOf, newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'

/** y = Relu(x + b), with b a constant of `size` elements. */
function smallModel(size = 4): OnnxModel {
  const float = (name: string) =>
    newMessage('ValueInfoProto', {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: 1,
            shape: { dim: [{ value: { case: 'dimValue', value: BigInt(size) } }] },
          },
        },
      },
    })
  return newMessage('ModelProto', {
    irVersion: 8n,
    producerName: 'fitment-test',
    opsetImport: [newMessage('OperatorSetIdProto', { domain: '', version: 17n })],
    graph: newMessage('GraphProto', {
      name: 'g',
      input: [float('x')],
      output: [float('y')],
      initializer: [
        newTensor(
          'b',
          'float32',
          [size],
          Float32Array.from({ length: size }, (_, i) => i),
        ),
      ],
      node: [
        newMessage('NodeProto', { opType: 'Add', name: 'add', input: ['x', 'b'], output: ['s'] }),
        newMessage('NodeProto', {
          opType: 'LeakyRelu',
          input: ['s'],
          output: ['y'],
          attribute: [newAttribute('alpha', 'float', 0.5)],
        }),
      ],
    }),
  })
}

t.test('what is written is read back, unknown fields included', async (t) => {
  const bytes = writeOnnx(smallModel())
  // Field 1000 of ModelProto, length-delimited: a schema newer than ours.
  const newer = Buffer.concat([bytes, Buffer.from([0xc2, 0x3e, 0x03, 1, 2, 3])])
  const again = writeOnnx(readOnnx(newer))
  t.equal(Buffer.compare(newer, again), 0)
  t.same(dataOf(readOnnx(again).graph?.initializer[0] as never), new Float32Array([0, 1, 2, 3]))
  t.same(checkOnnx(readOnnx(bytes)), [])
})

t.test('every model of the shared data survives a round trip to the byte', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  for (const name of readdirSync(join(root, 'onnx'))) {
    const bytes = readFileSync(join(root, 'onnx', name))
    const model = readOnnx(bytes, name)
    t.equal(Buffer.compare(bytes, writeOnnx(model)), 0, name)
    t.same(checkOnnx(model), [], `${name} has no findings`)
  }
})

t.test('constants move to a file beside the model and back', async (t) => {
  const dir = t.testdir()
  const model = smallModel(1000)
  const before = dataOf(model.graph?.initializer[0] as never).slice()
  writeFileSync(join(dir, 'weights.bin'), storeExternalData(model, 'weights.bin'))
  const moved = readOnnx(writeOnnx(model))
  await loadExternalData(moved, dir)
  t.same(dataOf(moved.graph?.initializer[0] as never), before)

  const outside = smallModel(1000)
  storeExternalData(outside, '../weights.bin')
  mkdirSync(join(dir, 'inner'))
  await t.rejects(loadExternalData(outside, join(dir, 'inner')), { code: 'external-data-outside' })
  const missing = smallModel(1000)
  storeExternalData(missing, 'nowhere.bin')
  await t.rejects(loadExternalData(missing, dir), {
    code: 'external-data-missing',
    message: /nowhere\.bin/,
  })
})

t.test('findings name what is wrong and where', async (t) => {
  const model = smallModel()
  const [add] = model.graph?.node ?? []
  if (add) add.input[1] = 'nothing'
  model.opsetImport = [newMessage('OperatorSetIdProto', { domain: 'com.example', version: 1n })]
  const codes = checkOnnx(model).map(({ code }) => code)
  t.same(codes, ['domain-not-imported', 'undefined-value', 'domain-not-imported'])
})

t.test('files that are no models are refused in one line', async (t) => {
  t.throws(() => readOnnx(new Uint8Array(0), 'empty.onnx'), { code: 'not-a-model' })
  t.throws(() => readOnnx(Buffer.from('hello there'), 'text.onnx'), OnnxError)
  t.throws(() => readOnnx(writeOnnx(smallModel()).subarray(0, 60), 'cut.onnx'), OnnxError)
})

t.test('10,000 mutations end in a model or in one error', async (t) => {
  const root = sharedData()
  const seeds = [Buffer.from(writeOnnx(smallModel(64)))]
  if (root) seeds.push(readFileSync(join(root, 'onnx', 'light_squeezenet.onnx')))
  let state = 20261123
  const random = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % bound
  }
  let refused = 0
  for (let round = 0; round < 10_000; round += 1) {
    const bytes = Buffer.from(seeds[random(seeds.length)] as Buffer)
    for (let flips = 1 + random(8); flips > 0; flips -= 1) bytes[random(bytes.length)] = random(256)
    const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
    try {
      checkOnnx(readOnnx(cut))
    } catch (error) {
      if (!(error instanceof OnnxError)) return void t.fail(`round ${round}: ${error}`)
      refused += 1
    }
  }
  t.ok(refused > 100 && refused < 10_000, `${refused} refused`)
})
