import { Builder, type Offset } from 'flatbuffers'
import t from 'tap'
import {
  readTflite,
  TfliteError,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { operatorAt, smallModel } from '../small-model.ts'

/** A file whose Model table has the given fields, by slot. */
function fileOf(fields: (builder: Builder) => Record<number, Offset>): Uint8Array {
  const builder = new Builder()
  const slots = fields(builder)
  builder.startObject(16)
  builder.addFieldInt32(0, 3, 0)
  for (const [slot, offset] of Object.entries(slots))
    builder.addFieldOffset(Number(slot), offset, 0)
  builder.finish(builder.endObject(), 'TFL3')
  return builder.asUint8Array()
}

function vectorOf(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4)
  for (const offset of offsets) builder.addOffset(offset)
  return builder.endVector()
}

function tableOf(builder: Builder, slots: number, fill: () => void): Offset {
  builder.startObject(slots)
  fill()
  return builder.endObject()
}

function errorOf(file: Uint8Array): TfliteError {
  try {
    readTflite(file, 'hostile.tflite')
  } catch (error) {
    if (error instanceof TfliteError) return error
    throw error
  }
  throw new Error('the file was read')
}

const OTHER_FORMATS = [
  ['an empty file', new Uint8Array(), /^hostile.tflite: the file is empty$/],
  ['three bytes', Uint8Array.of(1, 2, 3), /not a \.tflite file/],
  [
    'a ZIP archive',
    new TextEncoder().encode('PK\u0003\u0004 and so on'),
    /bytes 4 to 7 are " and"/,
  ],
  ['text', new TextEncoder().encode('# A readme, not a model'), /not a \.tflite file/],
] as const

for (const [name, bytes, message] of OTHER_FORMATS) {
  t.test(`${name} is no .tflite file`, async (t) => {
    t.match(errorOf(bytes), { code: 'not-tflite', message })
  })
}

t.test('every truncation is one error, or loses nothing but padding', async (t) => {
  const file = writeTflite(smallModel())
  const whole = readTflite(file)
  for (let length = 0; length < file.length; length += 1) {
    try {
      t.strictSame(readTflite(file.slice(0, length)), whole)
      t.ok(file.subarray(length).every((byte) => byte === 0))
    } catch (error) {
      t.ok(error instanceof TfliteError, `${length} bytes: ${error}`)
    }
  }
})

t.test('what a newer schema brings is named, never dropped', async (t) => {
  const field = fileOf((builder) => ({ 12: builder.createString('from the future') }))
  t.match(errorOf(field), {
    code: 'newer-schema',
    message: 'hostile.tflite: Model has a field (number 12) that this program does not know',
  })
  const operatorCode = fileOf((builder) => {
    const code = tableOf(builder, 4, () => builder.addFieldInt32(3, 999, 0))
    return { 1: vectorOf(builder, [code]) }
  })
  t.match(errorOf(operatorCode), {
    code: 'newer-schema',
    message:
      'hostile.tflite: operatorCodes[0].builtinCode: BuiltinOperator 999 is unknown (known: 0 to 209)',
  })
  const options = fileOf((builder) => {
    const operator = tableOf(builder, 14, () => builder.addFieldInt8(11, 200, 0))
    const operators = vectorOf(builder, [operator])
    const subgraph = tableOf(builder, 6, () => builder.addFieldOffset(3, operators, 0))
    return { 2: vectorOf(builder, [subgraph]) }
  })
  t.match(errorOf(options), {
    code: 'newer-schema',
    message:
      'hostile.tflite: subgraphs[0].operators[0].builtinOptions2: union member 200 is unknown',
  })
})

t.test('offsets that lead to one table a million times do not fill the memory', async (t) => {
  const wide = fileOf((builder) => {
    const buffer = tableOf(builder, 3, () => {})
    return { 4: vectorOf(builder, new Array<Offset>(1_100_000).fill(buffer)) }
  })
  t.match(errorOf(wide), {
    code: 'corrupt',
    message: /^hostile.tflite: buffers\[\d+\]: more than 1048576 tables/,
  })

  const deep = fileOf((builder) => {
    const name = builder.createString('x'.repeat(1000))
    const tensor = tableOf(builder, 11, () => builder.addFieldOffset(3, name, 0))
    const tensors = vectorOf(builder, new Array<Offset>(1000).fill(tensor))
    const subgraph = tableOf(builder, 6, () => builder.addFieldOffset(0, tensors, 0))
    return { 2: vectorOf(builder, new Array<Offset>(1000).fill(subgraph)) }
  })
  t.match(errorOf(deep), { code: 'corrupt', message: /tensors\[\d+\]\.name: its parts overlap/ })
})

t.test('buffers that overlap at large are refused, shared ones are not', async (t) => {
  const shared = fileOf((builder) => {
    const data = builder.createByteVector(new Uint8Array(1000))
    const buffers = Array.from({ length: 50 }, () =>
      tableOf(builder, 3, () => builder.addFieldOffset(0, data, 0)),
    )
    return { 4: vectorOf(builder, buffers), 2: vectorOf(builder, [tableOf(builder, 6, () => {})]) }
  })
  t.equal(readTflite(shared).buffers.length, 50)
  const overlapping = fileOf((builder) => {
    const data = builder.createByteVector(new Uint8Array(10_000))
    const buffers = Array.from({ length: 50 }, (_, index) =>
      tableOf(builder, 3, () => {
        builder.addFieldInt64(1, BigInt(500 + index), 0n)
        builder.addFieldInt64(2, 9000n, 0n)
      }),
    )
    return { 4: vectorOf(builder, buffers), 3: data }
  })
  t.match(errorOf(overlapping), { code: 'corrupt', message: /overlap/ })
})

t.test('a vector longer than the file is refused before it is made', async (t) => {
  const file = fileOf((builder) => {
    builder.startVector(4, 0, 4)
    builder.addInt32(-1)
    return { 5: builder.offset() }
  })
  t.match(errorOf(file), {
    code: 'corrupt',
    message: /metadataBuffer: a vector of 4294967295 elements at byte \d+ ends beyond the file/,
  })
})

t.test('offsets below the table, zero offsets and odd vtables are refused', async (t) => {
  const file = writeTflite(smallModel())
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const root = view.getUint32(0, true)
  const vtable = root - view.getInt32(root, true)
  const damages: [number, number, RegExp][] = [
    [0, 0, /a required offset is zero/],
    [0, 0xffffffff, /a table at byte 4294967295 ends beyond the file/],
    [root, 0x7fffffff, /a vtable at byte -\d+ ends beyond/],
    [root, 0x80000000, /a vtable at byte \d+ ends beyond/],
    [vtable, 0x00080007, /the vtable at byte \d+ is malformed/],
    [vtable, 0x00010008, /the vtable at byte \d+ is malformed/],
    [vtable + 4, 0xffff0002, /field 0 lies outside its table/],
  ]
  for (const [position, value, message] of damages) {
    const before = view.getUint32(position, true)
    view.setUint32(position, value, true)
    t.match(errorOf(file), { code: 'corrupt', message })
    view.setUint32(position, before, true)
  }
  t.strictSame(readTflite(file), smallModel())
})

t.test('a tag without options, and options without a tag, are no options', async (t) => {
  const model = smallModel()
  operatorAt(model, 0).builtinOptions = null
  const tagged = fileOf((builder) => {
    const operator = tableOf(builder, 14, () => builder.addFieldInt8(3, 8, 0))
    const operators = vectorOf(builder, [operator])
    const subgraph = tableOf(builder, 6, () => builder.addFieldOffset(3, operators, 0))
    const code = tableOf(builder, 4, () => builder.addFieldInt32(3, 9, 0))
    return { 1: vectorOf(builder, [code]), 2: vectorOf(builder, [subgraph]) }
  })
  t.equal(operatorAt(readTflite(tagged), 0).builtinOptions, null)
})

t.test('old files with one byte of operator code and an attached tag are read', async (t) => {
  const old = fileOf((builder) => {
    const code = tableOf(builder, 4, () => builder.addFieldInt8(0, 25, 0))
    const tag = builder.createString('serve')
    const signature = tableOf(builder, 5, () => builder.addFieldOffset(3, tag, 0))
    return {
      1: vectorOf(builder, [code]),
      2: vectorOf(builder, [tableOf(builder, 6, () => {})]),
      7: vectorOf(builder, [signature]),
    }
  })
  const model = readTflite(old)
  t.equal(model.operatorCodes[0]?.builtinCode, 'SOFTMAX')
  t.equal(model.signatureDefs[0]?.deprecatedTag, 'serve')
  t.strictSame(readTflite(writeTflite(model)), model)
})
