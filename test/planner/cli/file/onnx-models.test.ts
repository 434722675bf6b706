import { existsSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  newMessage,
  type OnnxModel,
  storeExternalData,
  writeOnnx,
} from '../../../../planner/formats/onnx/index.ts'
import { formatNpz } from '../../../../shared/dataset/index.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { type SmallOnnx, smallOnnx } from '../../formats/onnx/small-onnx.ts'
import { SMALL_MODEL } from '../../variants/small-model.ts'
import { fitment as run } from '../run-fitment.ts'

/** Models that users have and that are not plain images in, scores out. */
const CONV: SmallOnnx = {
  inputs: { x: [1, 3, 8, 8] },
  outputs: ['y'],
  constants: { w: [16, 3, 3, 3] },
  rows: [['Conv', ['x', 'w'], ['y']]],
}

function files(t: Test) {
  const dir = t.testdir({})
  const write = (name: string, model: OnnxModel) => {
    writeFileSync(join(dir, name), writeOnnx(model))
    return join(dir, name)
  }
  const data = (name: string, arrays: Record<string, Tensor>) => {
    writeFileSync(join(dir, name), formatNpz(new Map(Object.entries(arrays))))
    return join(dir, name)
  }
  return { dir, write, data, out: join(dir, 'out.onnx') }
}

const images = (...shape: number[]): Tensor => ({
  type: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * i)),
})

t.test('a .tflite becomes .onnx where the output is named so', async (t) => {
  const { out } = files(t)
  const told = await run('quantize', SMALL_MODEL, '--scheme', 'float16', '-o', out)
  t.equal(told.code, 0, told.err)
  t.match((await run('inspect', out)).out, /format +onnx/)
})

t.test('open sizes: said with --shape, taken from data, or asked for', async (t) => {
  const { write, data, out } = files(t)
  const open = write('open.onnx', smallOnnx({ ...CONV, inputs: { x: ['n', 3, 'h', 'w'] } }))
  const quantize = (...more: string[]) =>
    run('quantize', open, '--scheme', 'float16', '-o', out, ...more)
  t.match((await quantize()).err, /input "x" leaves sizes open: say them with --shape/)
  t.match((await quantize('--shape', 'x=1,4,8,8')).err, /takes \[\?,3,\?,\?\], not \[1,4,8,8\]/)
  t.match((await quantize('--shape', 'z=1')).err, /has no input "z": its inputs are x/)
  t.match((await quantize('--shape', 'x')).err, /"x" is not NAME=SIZE/)
  t.equal((await quantize('--shape', 'x=1,3,8,8')).code, 0)
  const x = data('x.npz', { x: images(4, 3, 8, 8) })
  t.equal((await quantize('--calibration', x)).code, 0)
  t.match((await run('bench', open)).err, /takes float32\[\?,3,\?,\?\]: say how large/)
})

t.test('constants in another file', async (t) => {
  const { dir, write, data, out } = files(t)
  const model = smallOnnx(CONV)
  const constants = storeExternalData(model, 'weights.bin')
  const path = write('scattered.onnx', model)
  const x = data('x.npz', { x: images(4, 3, 8, 8) })
  const quantize = () =>
    run('quantize', path, '--scheme', 'static-w8a8', '--calibration', x, '-o', out)
  t.match((await quantize()).err, /constant "w" is kept in .*weights.bin.*put the data file beside/)
  writeFileSync(join(dir, 'weights.bin'), constants)
  const told = await quantize()
  t.equal(told.code, 0, told.err)
})

t.test(
  'no link leads out of the folder, and no constants need say how long they are',
  async (t) => {
    const { dir, write, out } = files(t)
    const model = smallOnnx(CONV)
    const constants = storeExternalData(model, 'weights.bin')
    for (const { externalData } of model.graph?.initializer ?? [])
      externalData.splice(0, 3, ...externalData.filter(({ key }) => key !== 'length'))
    const path = write('scattered.onnx', model)
    const quantize = () => run('quantize', path, '--scheme', 'float16', '-o', out)
    writeFileSync(join(dir, 'weights.bin'), Buffer.concat([constants, Buffer.alloc(100)]))
    t.equal((await quantize()).code, 0)
    const elsewhere = t.testdirName
    renameSync(join(dir, 'weights.bin'), `${elsewhere}.bin`)
    t.teardown(() => rmSync(`${elsewhere}.bin`))
    symlinkSync(`${elsewhere}.bin`, join(dir, 'weights.bin'))
    t.match((await quantize()).err, /external-data-outside.*a link out of the model's folder/)
  },
)

t.test('what the result is made from is not overwritten', async (t) => {
  const { dir, write, data } = files(t)
  const path = write('float.onnx', smallOnnx(CONV))
  const x = data('x.npz', { x: images(4, 3, 8, 8) })
  for (const output of [path, x]) {
    const told = await run(
      'quantize',
      path,
      '--scheme',
      'float16',
      '--calibration',
      x,
      '-o',
      output,
    )
    t.match(told.err, /is what the result is made from, and would be lost: name another file/)
    t.equal(told.code, 2)
  }
  const folder = await run('quantize', path, '--scheme', 'float16', '-o', dir)
  t.match(folder.err, /is a folder or a device: name a file to write/)
  const below = await run('quantize', path, '--scheme', 'float16', '-o', join(path, 'out.onnx'))
  t.match(below.err, /cannot write .*ENOTDIR/)
})

t.test('what is worse than the float model is not written', async (t) => {
  const { write, data, out } = files(t)
  const pools = write(
    'pools.onnx',
    smallOnnx({
      inputs: { x: [1, 3, 8, 8] },
      outputs: ['y'],
      rows: [['MaxPool', ['x'], ['y'], { kernel_shape: ['ints', [2, 2]] }]],
    }),
  )
  const x = data('x.npz', { x: images(4, 3, 8, 8) })
  const told = await run(
    'quantize',
    pools,
    '--scheme',
    'static-w8a8',
    '--calibration',
    x,
    '-o',
    out,
  )
  t.match(told, { code: 1, out: '', err: /none of the 1 quantized operators on integers/ })
  t.notOk(existsSync(out))
})

t.test('several inputs, integers among them', async (t) => {
  const { write, data, out } = files(t)
  const model = smallOnnx({
    inputs: { ids: [1, 4], z: [1, 4, 64] },
    outputs: ['y'],
    constants: { table: [32, 64], w: [64, 64] },
    rows: [
      ['Gather', ['table', 'ids'], ['e']],
      ['Add', ['e', 'z'], ['s']],
      ['MatMul', ['s', 'w'], ['y']],
    ],
  })
  const type = model.graph?.input[0]?.type?.value
  if (type?.case === 'tensorType') type.value.elemType = 7
  const path = write('two.onnx', model)
  const ids = BigInt64Array.from({ length: 24 }, (_, i) => BigInt(i % 32))
  const samples = data('s.npz', {
    ids: { type: 'int64', shape: [6, 4], data: ids },
    z: images(6, 4, 64),
  })
  const told = await run(
    ...['quantize', path, '--scheme', 'static-w8a8', '--calibration', samples, '-o', out],
  )
  t.equal(told.code, 0, told.err)
  t.match(told.out, /3 of 3 operators on integers/)
})

t.test('what this runtime does not have is named', async (t) => {
  const { write, out } = files(t)
  const custom = smallOnnx({ ...CONV, rows: [['Mystery', ['x', 'w'], ['y']]] })
  for (const node of custom.graph?.node ?? []) node.domain = 'com.acme'
  custom.opsetImport.push(newMessage('OperatorSetIdProto', { domain: 'com.acme', version: 1n }))
  const told = (path: string) => run('quantize', path, '--scheme', 'float16', '-o', out)
  t.match((await told(write('custom.onnx', custom))).err, /uses com.acme.Mystery, an operator that/)
  const future = write('future.onnx', smallOnnx({ ...CONV, opset: 99 }))
  t.match((await told(future)).err, /of opset 99, and ONNX Runtime here loads \d+ at most/)
  const sequence = smallOnnx({ ...CONV, rows: [['SplitToSequence', ['x'], ['y']]] })
  t.match((await run('bench', write('list.onnx', sequence))).err, /"y" holds a sequence or map/)
})

t.test('a loop stays in float, the rest does not', async (t) => {
  const { write, data, out } = files(t)
  const body = smallOnnx({
    inputs: { i: [], go: [], c: [1, 3, 8, 8] },
    outputs: ['on', 'd'],
    rows: [
      ['Identity', ['go'], ['on']],
      ['Relu', ['c'], ['d']],
    ],
  }).graph
  const types = [7, 9]
  body?.input.forEach(({ type }, at) => {
    const elemType = types[at]
    if (type?.value.case === 'tensorType' && elemType) type.value.value.elemType = elemType
  })
  const model = smallOnnx({
    ...CONV,
    constants: { ...CONV.constants, times: BigInt64Array.of(2n) },
    rows: [
      ['Loop', ['times', '', 'x'], ['l']],
      ['Conv', ['l', 'w'], ['y']],
    ],
  })
  const [loop] = model.graph?.node ?? []
  loop?.attribute.push(
    newMessage('AttributeProto', { name: 'body', type: 5, ...(body && { g: body }) }),
  )
  const x = data('x.npz', { x: images(4, 3, 8, 8) })
  const path = write('loop.onnx', model)
  const told = await run(
    ...['quantize', path, '--scheme', 'static-w8a8', '--calibration', x, '-o', out],
  )
  t.equal(told.code, 0, told.err)
  t.match(told.err, /Loop "l" stays in float/)
  t.match(told.out, /1 of 2 operators on integers/)
})

t.test('integers are timed beside float32, and --fastest is told what it cannot do', async (t) => {
  const { write, data, out } = files(t)
  const x = data('x.npz', { x: images(8, 3, 8, 8) })
  const path = write('conv.onnx', smallOnnx(CONV))
  const quantize = (file: string, ...more: string[]) =>
    run('quantize', file, '--scheme', 'static-w8a8-iou8', '--calibration', x, '-o', out, ...more)
  const { code, out: told } = await quantize(path, '--json')
  const { speed, findings } = JSON.parse(told) as {
    speed: { ratio: number }
    findings: { code: string; message: string }[]
  }
  t.equal(code, 0)
  t.ok(speed.ratio > 0)
  const slower = findings.find((finding) => finding.code === 'slower-than-float')
  t.equal(slower !== undefined, speed.ratio > 1.05)
  const forOthers = await quantize(path, '--target', 'raspberry-pi-4', '--json')
  t.equal(JSON.parse(forOthers.out).speed, null, 'this machine tells nothing of that one')

  const fastest = await quantize(path, '--fastest', '--recovery', 'none')
  if (fastest.code === 0) t.match(fastest.err, /everything on integers takes \d+\.\d\d× the time/)
  else t.match(fastest.err, /nothing is written: everything on integers takes \d+\.\d\d× the time/)
  const wrong = await run('quantize', path, '--scheme', 'float16', '-o', out, '--fastest')
  t.equal(wrong.code, 2)
  t.match(wrong.err, /--fastest is for .onnx files in static-w8a8 with --calibration/)
})
