import t from 'tap'
import {
  readTflite,
  TfliteError,
  type TflModel,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { operatorAt, operatorOf, smallModel, tensorOf } from '../small-model.ts'

/** A custom operator beside the dense layer, with `bytes` as its options. */
function withCustomOperator(bytes: Uint8Array): TflModel {
  const model = smallModel()
  model.operatorCodes.push({ builtinCode: 'CUSTOM', customCode: 'Frobnicate', version: 2 })
  model.subgraphs[0]?.operators.push({ ...operatorOf(1, [2], []), customOptions: bytes })
  return model
}

/** The small model with a second constant of 4096 bytes. */
function withLargeBuffer(): TflModel {
  const model = smallModel()
  model.buffers.push({ data: new Uint8Array(4096).fill(7) })
  model.subgraphs[0]?.tensors.push(tensorOf('large', [1024], 2))
  return model
}

function placeIn(file: Uint8Array, part: Uint8Array | null | undefined): number {
  return (part?.byteOffset ?? Number.NaN) - file.byteOffset
}

t.test('buffers are views of the file at multiples of 16 bytes', async (t) => {
  const file = writeTflite(withLargeBuffer())
  for (const { data } of readTflite(file).buffers.slice(1)) {
    t.equal(data?.buffer, file.buffer)
    t.equal(placeIn(file, data) % 16, 0)
  }
})

t.test('a Buffer is read as any other bytes', async (t) => {
  const file = writeTflite(smallModel())
  const read = readTflite(Buffer.from(file))
  t.strictSame(read, readTflite(file))
  t.equal(read.buffers[1]?.data?.constructor, Uint8Array)
})

t.test('buffers that share memory share their place in the file', async (t) => {
  const model = withLargeBuffer()
  const alone = writeTflite(model).length
  model.buffers.push({ data: model.buffers[2]?.data ?? null })
  model.subgraphs[0]?.tensors.push(tensorOf('twin', [1024], 3))
  const file = writeTflite(model)
  t.ok(file.length < alone + 1024, `${file.length} bytes with the twin, ${alone} without`)
  const read = readTflite(file)
  t.strictSame(read, model)
  t.equal(read.buffers[2]?.data?.byteOffset, read.buffers[3]?.data?.byteOffset)
  t.strictSame(writeTflite(read).length, file.length)
})

t.test('a marked buffer lives behind the flatbuffer and comes back marked', async (t) => {
  const model = withLargeBuffer()
  model.buffers[2] = { data: new Uint8Array(4096).fill(7), outside: true }
  const file = writeTflite(model)
  const read = readTflite(file)
  t.strictSame(read, model)
  t.equal(placeIn(file, read.buffers[2]?.data), file.length - 4096)
  t.equal(placeIn(file, read.buffers[2]?.data) % 16, 0)
})

t.test('past the limit of a flatbuffer every buffer goes behind it', async (t) => {
  const model = withLargeBuffer()
  model.buffers.push({ data: model.buffers[2]?.data ?? null }, { data: Uint8Array.of(9) })
  const file = writeTflite(model, { largestFlatbuffer: 4096 })
  const read = readTflite(file)
  t.strictSame(
    read.buffers.map(({ outside }) => outside ?? false),
    [false, true, true, true, false],
    'but for the empty one and those too small for an offset',
  )
  t.strictSame(
    read.buffers.map(({ data }) => data),
    model.buffers.map(({ data }) => data),
  )
  t.equal(read.buffers[2]?.data?.byteOffset, read.buffers[3]?.data?.byteOffset, 'shared once')
  t.strictSame(readTflite(writeTflite(read)), read)
})

t.test('large custom options live behind the flatbuffer too', async (t) => {
  const model = withCustomOperator(new Uint8Array(100).fill(3))
  t.strictSame(readTflite(writeTflite(model)), model)
  operatorAt(model, 1).customOptionsOutside = true
  const file = writeTflite(model)
  t.strictSame(readTflite(file), model)
  t.equal(placeIn(file, operatorAt(readTflite(file), 1).customOptions), file.length - 100)
})

t.test('a place behind the flatbuffer that ends beyond the file is one clear error', async (t) => {
  const model = withLargeBuffer()
  model.buffers[2] = { data: new Uint8Array(4096).fill(7), outside: true }
  const file = writeTflite(model)
  const error = t.throws(() => readTflite(file.subarray(0, -1), 'cut.tflite'), TfliteError)
  t.match(error, {
    code: 'corrupt',
    message: /^cut\.tflite: buffers\[2\]\.offset: data behind the flatbuffer \(4096 bytes/,
  })
})

t.test('what is appended to the file stays appended', async (t) => {
  const archive = new TextEncoder().encode(
    'PK\u0003\u0004 labels.txt and the rest of a ZIP archive',
  )
  for (const model of [smallModel(), withCustomOperator(new Uint8Array(3))]) {
    const file = Buffer.concat([writeTflite(model), archive])
    const read = readTflite(file)
    t.strictSame(read, { ...model, attachment: archive })
    const rewritten = writeTflite(read)
    t.strictSame(rewritten.subarray(-archive.length), archive)
    t.strictSame(readTflite(rewritten), read)
  }
})

t.test('operator codes above 127 keep the byte of old readers at 127', async (t) => {
  const model = smallModel()
  const codes = ['CONV_2D', 'BATCH_MATMUL', 'CUMSUM', 'STABLEHLO_CASE']
  model.operatorCodes = codes.map((builtinCode) => ({ builtinCode, customCode: null, version: 1 }))
  t.strictSame(readTflite(writeTflite(model)), model)
})
