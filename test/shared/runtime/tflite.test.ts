import { copyFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { type Dataset, readDataset, samplesFor } from '../../../shared/dataset/index.ts'
import {
  type LoadOptions,
  loadRuntime,
  type Runtime,
  type Session,
} from '../../../shared/runtime/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../shared/tensors.ts'
import { leakOf } from '../../leak.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'
import { buildDelegates, lacksDelegates } from '../../native/test-delegate.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'

const DEMO = join(process.cwd(), 'planner', 'demo', 'motor-faults')
const float = readFileSync(join(DEMO, 'model.tflite'))

function noiseFor({ inputs }: Pick<Session, 'inputs'>, seed: number): Record<string, Tensor> {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Object.fromEntries(
    inputs.map(({ name, type, shape }) => {
      const closed = shape.map((dim) => Math.max(1, dim))
      const data = new ARRAY_OF[type](sizeOf(closed)) as Float32Array<ArrayBuffer>
      for (let i = 0; i < data.length; i++)
        data[i] = type === 'float32' ? 2 * next() - 1 : Math.floor(256 * next()) - 128
      return [name, { type, shape: closed, data }]
    }),
  )
}

/** Most that any element of any output differs by. */
function distance(
  a: Readonly<Record<string, Tensor>>,
  b: Readonly<Record<string, Tensor>>,
): number {
  let most = 0
  for (const [name, { data }] of Object.entries(a))
    data.forEach((value, i) => {
      most = Math.max(most, Math.abs(Number(value) - Number(b[name]?.data[i])))
    })
  return most
}

async function refused(load: Promise<Session>) {
  return await load.then(
    () => ({ code: 'loaded', message: '' }),
    (error: { code: string; message: string }) => ({ code: error.code, message: error.message }),
  )
}

/** Largest difference between WebAssembly and the native LiteRT over the first 100 samples, as a model answers them. */
async function worstOf(bytes: Uint8Array, data: Dataset): Promise<number> {
  const wasm = await loadRuntime('litert')
  const native = await loadRuntime('tflite', { library: nativePath('litert') })
  const [one, other] = await Promise.all([wasm.load(bytes), native.load(bytes)])
  const samples = samplesFor(data, one.inputs)
  let worst = 0
  for (let i = 0; i < 100; i++) {
    const inputs = samples.at(i)
    worst = Math.max(worst, distance(await one.run(inputs), await other.run(inputs)))
  }
  await Promise.all([one.close(), other.close()])
  return worst
}

t.test('answers as LiteRT in WebAssembly does', { skip: lacks('litert') }, async (t) => {
  const native = await loadRuntime('tflite', { library: nativePath('litert') })
  t.equal(native.version, '2.3.0', 'the wheel beside the library tells the version')
  const test = await readDataset(join(DEMO, 'test.npz'))
  const calibration = await readDataset(join(DEMO, 'calibration.npz'))
  const scheme = parseScheme('static-w8a8-io8')
  const quantized = await quantize({ model: float, target: 'tflite', scheme, calibration })
  t.ok((await worstOf(float, test)) <= 1e-5)
  t.equal(await worstOf(quantized.bytes, test), 0)
})

const real = sharedData()
const withoutReal = real === undefined ? WITHOUT_SHARED_DATA : lacks('litert')
t.test('answers to real models as LiteRT in WebAssembly does', { skip: withoutReal }, async (t) => {
  // The float kws01 stores integer weights, beside which kernels round activations: 3e-5.
  for (const [name, most] of [
    ['ic01', 1e-5],
    ['kws01', 1e-4],
  ] as const) {
    const file = join(real ?? '', 'mlperf-tiny', name)
    const test = await readDataset(`${file}_test.npz`)
    const calibration = await readDataset(`${file}_calibration.npz`)
    const model = readFileSync(`${file}_float32.tflite`)
    const scheme = parseScheme('static-w8a8-io8')
    const ours = await quantize({ model, target: 'tflite', scheme, calibration })
    t.ok((await worstOf(model, test)) <= most, `${name}, float`)
    t.equal(await worstOf(ours.bytes, test), 0, `${name}, our int8`)
    t.equal(
      await worstOf(readFileSync(`${file}_reference_int8.tflite`), test),
      0,
      `${name}, the converter's int8`,
    )
  }
})

t.test('runs the signature that is asked for', { skip: lacks('litert') }, async (t) => {
  const native = await loadRuntime('tflite', { library: nativePath('litert') })
  t.match(await refused(native.load(float, { signature: 'none' })), {
    code: 'not-loadable',
    message: /has no signature "none": its signatures are |it has none/,
  })
})

t.test('takes no delegates into a LiteRT library', { skip: lacks('litert') }, async (t) => {
  const native = await loadRuntime('tflite', { library: nativePath('litert') })
  const delegates = [{ path: '/usr/lib/libvx_delegate.so', options: {} }]
  t.match(await refused(native.load(float, { delegates })), {
    code: 'delegate-failed',
    message: /takes no delegates such as/,
  })
})

t.test('XNNPACK is on unless it is switched off', { skip: lacks('tflite') }, async (t) => {
  const native = await loadRuntime('tflite', { library: nativePath('tflite') })
  t.equal(native.version, '2.9.0')
  t.match(native.library, { path: realpathSync(nativePath('tflite')), digest: /^[0-9a-f]{64}$/ })
  const on = await native.load(float, { threads: 2 })
  t.match(on.delegation, [{ path: 'xnnpack', partitions: 1 }])
  t.ok((on.delegation?.[0]?.taken ?? 0) > 0)
  t.match(on.details, { threads: 2, xnnpack: true })
  await on.close()
  const off = await native.load(float, { xnnpack: false })
  t.same(off.delegation, [])
  await off.close()
})

t.test('gives its memory back', { skip: lacks('tflite') }, async (t) => {
  const { loadInProcess } = await import('../../../shared/runtime/load-runtime.ts')
  const native = await loadInProcess('tflite', { library: nativePath('tflite') })
  const round = async () => {
    const session = await native.load(float)
    await session.run(noiseFor(session, 1))
    await session.close()
    await session.close()
  }
  const leak = await leakOf(async () => {
    for (let i = 0; i < 50; i++) await round()
  })
  t.ok(leak < 50 * float.length, `${leak} bytes after 50 rounds`)
})

t.test('delegates', { skip: lacksDelegates() }, async (t) => {
  const delegates = buildDelegates(t.testdir())
  const native = await loadRuntime('tflite', { library: nativePath('tflite') })
  const withDelegate = (
    path: string,
    options: Record<string, string> = {},
    more: LoadOptions = {},
  ) => native.load(float, { delegates: [{ path, options }], ...more })

  await t.test('are counted, and XNNPACK takes what they leave', async (t) => {
    const alone = await native.load(float, { xnnpack: false })
    const session = await withDelegate(delegates.conv)
    const [asked, rest] = session.delegation ?? []
    t.match(asked, { path: delegates.conv, partitions: Number })
    t.ok(asked && asked.taken > 0 && asked.taken < asked.total)
    const left = Object.values(asked?.left ?? {}).reduce((sum, count) => sum + count, 0)
    t.equal(left, (asked?.total ?? 0) - (asked?.taken ?? 0))
    t.notOk('CONV_2D' in (asked?.left ?? {}))
    t.match(rest, { path: 'xnnpack', total: asked?.total })
    const inputs = noiseFor(session, 7)
    t.ok(distance(await session.run(inputs), await alone.run(inputs)) < 1e-5)
    await Promise.all([session.close(), alone.close()])
  })

  await t.test('that take nothing, or too little, are refused', async (t) => {
    t.match(await refused(withDelegate(delegates.idle)), {
      code: 'not-accelerated',
      message: /took none of \d+ operators; left are \d+ \w+/,
    })
    t.match(await refused(withDelegate(delegates.conv, {}, { minDelegated: 0.99 })), {
      code: 'not-accelerated',
      message: /less than the 99 % asked for; left are/,
    })
    const all = await withDelegate(delegates.conv, { take: 'all' }, { minDelegated: 1 })
    t.match(all.delegation, [{ partitions: 1, left: {} }])
    await all.close()
  })

  await t.test('that cannot be made are told apart', async (t) => {
    t.match(await refused(withDelegate(delegates.conv, { fail: 'null' })), {
      code: 'delegate-failed',
      message: /made no delegate: the test device is not there/,
    })
    t.match(await refused(withDelegate(delegates.conv, { colour: 'red' })), {
      code: 'delegate-failed',
      message: /unknown option/,
    })
    t.match(await refused(withDelegate(nativePath('tflite'))), {
      code: 'delegate-failed',
      message: /has no tflite_plugin_create_delegate/,
    })
    t.match(await refused(withDelegate('/nowhere.so')), { code: 'library-unusable' })
  })

  for (const fail of ['crash-create', 'crash-prepare'])
    await t.test(`${fail}: ends its own process only`, async (t) => {
      t.match(await refused(withDelegate(delegates.conv, { fail })), {
        code: 'delegate-failed',
        message: /ended its process \(SIGSEGV\) while it loaded a model with .*conv_delegate/,
      })
    })

  await t.test('crash-invoke: the session fails, the next one works', async (t) => {
    const session = await withDelegate(delegates.conv, { fail: 'crash-invoke' })
    const inputs = noiseFor(session, 1)
    await t.rejects(session.run(inputs), { code: 'run-failed', message: /SIGSEGV/ })
    await t.rejects(session.run(inputs), { code: 'run-failed' })
    await session.close()
    const next = await native.load(float)
    await next.run(inputs)
    await next.close()
  })

  await t.test('that answer with zeros are found by their answers', async (t) => {
    const liar = await withDelegate(delegates.conv, { fail: 'zeros' })
    const honest = await native.load(float)
    const inputs = noiseFor(liar, 3)
    t.ok((liar.delegation?.[0]?.taken ?? 0) > 0, 'its count is as it should be')
    t.ok(distance(await liar.run(inputs), await honest.run(inputs)) > 0.01, 'its answers are not')
    await Promise.all([liar.close(), honest.close()])
  })

  await t.test('that hang are given up', async (t) => {
    const { openInChild } = await import('../../../shared/runtime/native/child-runtime.ts')
    const patient: Runtime = await openInChild('tflite', nativePath('tflite'), 3_000)
    const options = { delegates: [{ path: delegates.conv, options: { fail: 'hang' } }] }
    const session = await patient.load(float, options)
    await t.rejects(session.run(noiseFor(session, 1)), {
      code: 'run-failed',
      message: /did not answer in 3 s/,
    })
  })
})

t.test('libraries that are none', { skip: lacks('tflite') }, async (t) => {
  const folder = t.testdir({ 'text.so': 'not a library, only some text in a file' })
  const bytes = readFileSync(nativePath('tflite'))
  // e_machine of another architecture.
  const foreign = Buffer.from(bytes.subarray(0, 4096))
  foreign.writeUInt16LE(243, 18)
  writeFileSync(join(folder, 'foreign.so'), foreign)
  writeFileSync(join(folder, 'cut.so'), bytes.subarray(0, 100_000))
  copyFileSync(process.execPath, join(folder, 'node'))
  const code = 'library-unusable'
  const open = (library: string) => loadRuntime('tflite', { library })
  await t.rejects(open(join(folder, 'text.so')), { code, message: /is no shared library/ })
  await t.rejects(open(join(folder, 'foreign.so')), { code, message: /is a library for riscv64/ })
  await t.rejects(open(join(folder, 'cut.so')), {
    code,
    message: /cut\.so (cannot be loaded|ended its process)/,
  })
  await t.rejects(open(join(folder, 'absent.so')), { code, message: /does not exist/ })
  await t.rejects(open(folder), { code, message: /cannot be read: EISDIR/ })
  await t.rejects(loadRuntime('tflite'), { code: 'runtime-missing', message: /--library/ })
})
