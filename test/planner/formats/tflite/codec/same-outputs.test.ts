import t from 'tap'
import { readTflite, writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { loadInProcess, type TensorInfo } from '../../../../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor, tensor } from '../../../../../shared/tensors.ts'
import { modelBytes } from '../../../../fixture-models.ts'
import { WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { below, type Random, randomOf } from '../random.ts'
import { realModels } from '../real-models.ts'

const real = realModels()
if (real.length === 0) t.comment(`real models: ${WITHOUT_SHARED_DATA}`)
const fixtures = ['dense.tflite', 'dense-int8.tflite', 'two-inputs.tflite'].map((name) => ({
  name,
  bytes: modelBytes(name),
}))
/** LiteRT.js sizes outputs before it runs: one whose shape depends on input data ends in foreign memory. */
const OUTPUT_SHAPE_FROM_DATA = /single_slice/
/** Loading takes most of the time: the runtime reads buffers behind the flatbuffer or it does not. */
const OUTSIDE_TOO = /^dense|ic01/
const runtime = await loadInProcess('litert')

for (const { name, bytes } of [...fixtures, ...real]) {
  const skip = OUTPUT_SHAPE_FROM_DATA.test(name) && 'its output shape depends on its input data'
  t.test(`${name} computes the same bits after a rewrite`, { skip }, async (t) => {
    const model = readTflite(bytes, name)
    const expected = await outcomeOf(bytes)
    t.strictSame(await outcomeOf(writeTflite(model)), expected)
    if (!OUTSIDE_TOO.test(name)) return
    const outside = writeTflite(model, { largestFlatbuffer: 0 })
    t.strictSame(await outcomeOf(outside), expected, 'with its buffers behind the flatbuffer')
  })
}

/** Outputs as bytes, so that NaN and -0 count. */
async function outcomeOf(model: Uint8Array): Promise<unknown> {
  const session = await runtime.load(model)
  try {
    const random = randomOf(11)
    const inputs = session.inputs.map((info) => [info.name, inputFor(info, random)] as const)
    const outputs = await session.run(Object.fromEntries(inputs))
    return Object.entries(outputs).map(([output, { shape, data }]) => [
      output,
      shape,
      bytesOf(data),
    ])
  } finally {
    await session.close()
  }
}

function inputFor({ type, shape }: TensorInfo, random: Random): Tensor {
  const closed = shape.map((dim) => (dim === -1 ? 1 : dim))
  const data = new ARRAY_OF[type](sizeOf(closed))
  for (let index = 0; index < data.length; index += 1) {
    // Small integers: some of them are indices.
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = 1n
    else data[index] = type.startsWith('float') ? random() * 2 - 1 : below(random, 2)
  }
  return tensor(type, closed, data)
}

function bytesOf(data: Tensor['data']): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
