import t, { type Test } from 'tap'
import { loadInProcess, loadRuntime } from '../../../shared/runtime/load-runtime.ts'
import {
  type ModelFormat,
  PACKAGED_RUNTIMES,
  RUNTIMES,
  type Runtime,
  type RuntimeName,
} from '../../../shared/runtime/runtime.ts'
import { ARRAY_OF, type ElementType, type Tensor, tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'
import { lacks, type NativeThing, nativePath } from '../../native/runtimes.ts'

/** Four values of each type, none equal in any byte order or width. */
const FOUR: Readonly<Partial<Record<ElementType, Tensor['data']>>> = {
  float32: Float32Array.of(1.5, -2, 3e30, 4),
  float16: Uint16Array.of(0x3c00, 0xc000, 0x4200, 0x4400),
  int8: Int8Array.of(1, -2, 127, -128),
  uint8: Uint8Array.of(1, 254, 127, 128),
  int16: Int16Array.of(1, -2, 32767, -32768),
  int32: Int32Array.of(1, -2, 2 ** 31 - 1, -(2 ** 31)),
  int64: BigInt64Array.of(1n, -2n, 2n ** 62n, -(2n ** 63n)),
  bool: Uint8Array.of(1, 1, 0, 1),
}

const X = Float32Array.of(0.5, -1, 2, 0.25)
// softmax(W·X + b) of generate.py, by numpy.
const SCORES = [0.0761, 0.35453, 0.56937]

async function suite(
  t: Test,
  runtime: Runtime,
  lacking: readonly ElementType[] = [],
  format: ModelFormat = RUNTIMES[runtime.name].format,
) {
  const load = (name: string) => runtime.load(modelBytes(`${name}.${format}`))
  t.match(runtime.version, /^\d+\.\d+\.\d+/)

  await t.test('describes and runs a model', async (t) => {
    const session = await load('dense')
    t.match(session.inputs, [{ name: 'x', type: 'float32', shape: [1, 4] }])
    t.match(session.outputs, [{ name: 'scores', type: 'float32', shape: [1, 3] }])
    const { scores } = await session.run({ x: tensor('float32', [1, 4], X) })
    t.same(scores?.shape, [1, 3])
    scores?.data.forEach((value, i) => {
      t.ok(Math.abs(Number(value) - (SCORES[i] ?? 0)) < 1e-4, `score ${i}: ${value}`)
    })
    await session.close()
  })

  await t.test('follows an open batch dimension up and down', async (t) => {
    const session = await load('dense-open-batch')
    t.same(session.inputs[0]?.shape, [-1, 4])
    const alone = (await session.run({ x: tensor('float32', [1, 4], X) })).scores
    for (const batch of [1, 5, 2, 5]) {
      const x = new Float32Array(batch * 4)
      for (let i = 0; i < batch; i++) x.set(X, 4 * i)
      const { scores } = await session.run({ x: tensor('float32', [batch, 4], x) })
      t.same(scores?.shape, [batch, 3], `batch ${batch}`)
      const last = scores?.data.slice(-3) as Float32Array
      t.ok(
        last.every((value, i) => Math.abs(value - Number(alone?.data[i])) < 1e-6),
        `row ${batch} equals the row alone`,
      )
    }
    await session.close()
  })

  await t.test('keeps several inputs and outputs apart', async (t) => {
    const session = await load('two-inputs')
    t.same(session.inputs.map((input) => input.name).sort(), ['left', 'right'])
    const outputs = await session.run({
      left: tensor('float32', [1, 3], Float32Array.of(10, 20, 30)),
      right: tensor('float32', [1, 1], Float32Array.of(3)),
    })
    t.same([...(outputs.difference?.data ?? [])], [7, 17, 27])
    t.same([...(outputs.also?.data ?? [])], [6])
    await session.close()
  })

  const types = Object.entries(FOUR) as [ElementType, Tensor['data']][]
  for (const [type, data] of types.filter(([type]) => !lacking.includes(type)))
    await t.test(`passes ${type} unchanged`, async (t) => {
      const session = await load(`reverse-${type}`)
      t.equal(session.inputs[0]?.type, type)
      const { y } = await session.run({ x: tensor(type, [4], data) })
      t.ok(y?.data instanceof ARRAY_OF[type])
      t.same([...(y?.data ?? [])], [...data].reverse())
      await session.close()
    })

  await t.test('refuses inputs that do not fit, and goes on', async (t) => {
    const session = await load('dense')
    const right = tensor('float32', [1, 4], X)
    const refused = (inputs: Record<string, Tensor>) =>
      t.rejects(session.run(inputs), { name: 'RuntimeError', code: 'wrong-input' })
    await refused({})
    await refused({ x: right, extra: right })
    await refused({ x: tensor('float32', [4], X) })
    await refused({ x: tensor('float32', [2, 2], X) })
    await refused({ x: tensor('int8', [1, 4], new Int8Array(4)) })
    await refused({ x: { type: 'float32', shape: [1, 4], data: new Float32Array(3) } })
    t.same((await session.run({ x: right })).scores?.shape, [1, 3])
    await session.close()
  })

  await t.test('refuses what is no model, in one line', async (t) => {
    const good = modelBytes(`dense.${format}`)
    const damaged = [
      new Uint8Array(0),
      Buffer.from('this is no model at all, just a sentence of some length'),
      good.slice(0, good.length >> 1),
      good.slice(0, 40),
    ]
    for (const bytes of damaged) {
      const error = await runtime.load(bytes).then(
        () => undefined,
        (caught: Error) => caught,
      )
      t.match(error, { name: 'RuntimeError', code: 'not-loadable' }, `${bytes.length} bytes`)
      t.notMatch(error?.message, /\n/)
    }
  })

  await t.test('may be closed twice, with others still open', async (t) => {
    const [one, two] = await Promise.all([load('dense'), load('dense')])
    await one.close()
    await one.close()
    t.same((await two.run({ x: tensor('float32', [1, 4], X) })).scores?.shape, [1, 3])
    await two.close()
  })
}

for (const name of PACKAGED_RUNTIMES) {
  t.test(name, async (t) => suite(t, await loadRuntime(name)))
  t.test(`${name} in process`, async (t) => suite(t, await loadInProcess(name)))
}

const LIBRARIES: readonly {
  readonly runtime: RuntimeName
  readonly thing: NativeThing
  readonly title: string
  /** Types that no kernel of the library reverses as they are. */
  readonly lacking?: readonly ElementType[]
  /** Of the files, where they are not what the runtime is for in the first place. */
  readonly format?: ModelFormat
}[] = [
  { runtime: 'tflite', thing: 'tflite', title: 'TensorFlow Lite 2.9', lacking: ['float16'] },
  { runtime: 'tflite', thing: 'litert', title: 'LiteRT 2.3' },
  // OpenVINO's CPU computes int64 in 32 bits: openvino.test.ts.
  {
    runtime: 'openvino',
    thing: 'openvino',
    title: 'OpenVINO 2026.4, .onnx',
    lacking: ['int64'],
  },
  {
    runtime: 'openvino',
    thing: 'openvino',
    title: 'OpenVINO 2026.4, .tflite',
    lacking: ['int64'],
    format: 'tflite',
  },
]

for (const { runtime, thing, title, lacking, format } of LIBRARIES)
  t.test(`${runtime}: ${title}`, { skip: lacks(thing) }, async (t) => {
    await suite(t, await loadRuntime(runtime, { library: nativePath(thing) }), lacking, format)
  })
