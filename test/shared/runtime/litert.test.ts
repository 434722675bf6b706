import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { LitertEngine } from '../../../shared/runtime/litert/engine.ts'
import { litertRuntime } from '../../../shared/runtime/litert/litert-runtime.ts'
import { readModelIo, withInputShapes } from '../../../shared/runtime/tflite-file/model-io.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes, modelPath } from '../../fixture-models.ts'
import { leakOf } from '../../leak.ts'

const X = tensor('float32', [1, 4], Float32Array.of(0.5, -1, 2, 0.25))

t.test('names, shapes and quantization come from the file', async (t) => {
  t.match(readModelIo(modelBytes('dense-int8.tflite')), {
    inputs: [{ name: 'x', type: 'int8', shape: [1, 4], quantization: { zeroPoint: -1 } }],
    outputs: [{ name: 'scores', type: 'int8', quantization: { scale: 1 / 256, zeroPoint: -128 } }],
  })
  t.equal(readModelIo(modelBytes('dense.tflite')).inputs[0]?.quantization, undefined)
  const shaped = withInputShapes(modelBytes('dense-open-batch.tflite'), [[7, 4]])
  t.same(readModelIo(shaped).inputs[0]?.shape, [7, 4])
})

t.test('damaged files are refused before the wasm code sees them, or by it', async (t) => {
  const good = modelBytes('dense-int8.tflite')
  const engine = await LitertEngine.start()
  let state = 99
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state % below
  }
  for (let round = 0; round < 300; round++) {
    const bytes = new Uint8Array(good)
    for (let i = 0; i < 4; i++) bytes[random(bytes.length)] = random(256)
    try {
      engine.load(bytes).close()
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'RuntimeError' || /\n/.test(error.message))
        t.fail(`round ${round}: ${error}`)
    }
  }
  const model = engine.load(good)
  t.equal(model.outputs[0]?.name, 'scores', 'the engine still works')
})

t.test('outputs are views of the heap, until the next run', async (t) => {
  const engine = await LitertEngine.start()
  const model = engine.load(modelBytes('dense.tflite'))
  const [first] = model.run({ x: X })
  t.equal(first?.data.buffer, engine.module.HEAPU8.buffer)
  const before = first?.data.slice()
  const [second] = model.run({ x: X })
  t.same(second?.data.slice(), before)
  model.close()
  t.throws(() => model.run({ x: X }), { code: 'invariant' })
})

t.test('a model of an older converter follows the batch too, and nothing else', async (t) => {
  const bytes = modelBytes('dense-open-batch-old.tflite')
  const engine = await LitertEngine.start()
  const model = engine.load(bytes)
  const [{ name = '' } = {}] = model.inputs
  const alone = model.run({ [name]: X })[0]?.data.slice()
  for (const batch of [64, 1, 7]) {
    const x = new Float32Array(batch * 4)
    for (let i = 0; i < batch; i++) x.set(X.data as Float32Array, 4 * i)
    const [scores] = model.run({ [name]: tensor('float32', [batch, 4], x) })
    t.same(scores?.shape, [batch, 3])
    t.same(scores?.data.slice(-3), alone)
  }
  model.close()
  t.throws(() => withInputShapes(bytes, [[2, 5]]), {
    code: 'run-failed',
    message: /only the batch/,
  })
})

t.test('a model whose tensors cannot be allocated is no model that runs', async (t) => {
  const engine = await LitertEngine.start()
  const five = withInputShapes(modelBytes('dense.tflite'), [[1, 5]])
  const model = engine.load(five)
  const x = tensor('float32', [1, 5], new Float32Array(5))
  for (const _ of [1, 2])
    t.throws(() => model.run({ x }), {
      code: 'run-failed',
      message: /^LiteRT cannot run this model: its tensors were not allocated: .*XNNPack[^\n]*$/,
    })
  model.close()
  t.same(engine.load(modelBytes('dense.tflite')).run({ x: X })[0]?.shape, [1, 3], 'others run')
})

t.test('several models share an engine', async (t) => {
  const engine = await LitertEngine.start()
  const dense = engine.load(modelBytes('dense.tflite'))
  const two = engine.load(modelBytes('two-inputs.tflite'))
  dense.run({ x: X })
  const left = tensor('float32', [1, 3], Float32Array.of(1, 2, 3))
  const [difference] = two.run({ left, right: tensor('float32', [1, 1], Float32Array.of(1)) })
  t.same([...(difference?.data ?? [])].sort(), [0, 1, 2])
  two.close()
  t.same(dense.run({ x: X })[0]?.shape, [1, 3])
})

t.test('its own kernels agree with XNNPACK', async (t) => {
  const scores = async (kernels: 'xnnpack' | 'builtin' | 'reference') => {
    const engine = await LitertEngine.start({ kernels })
    const model = engine.load(modelBytes('dense.tflite'))
    t.equal(model.fullyDelegated, kernels === 'xnnpack')
    return [...(model.run({ x: X })[0]?.data ?? [])].map(Number)
  }
  const fast = await scores('xnnpack')
  for (const kernels of ['builtin', 'reference'] as const)
    (await scores(kernels)).forEach((score, i) => {
      t.ok(Math.abs(score - (fast[i] ?? 0)) < 1e-5)
    })
})

t.test('two threads give the same answers', async (t) => {
  const session = await litertRuntime.load(modelBytes('dense.tflite'), { threads: 2 })
  t.match(session.details, { threads: 2, build: 'threads' })
  t.ok((session.optimisedAfterMs ?? 0) > 0, 'wasm is optimised while it runs')
  const { scores } = await session.run({ x: X })
  t.ok(Math.abs(Number(scores?.data[2]) - 0.56937) < 1e-4)
  await session.close()
})

t.test('nothing leaks into the globals of the process', async (t) => {
  const script = `
    const before = new Set(Reflect.ownKeys(globalThis))
    const { LitertEngine } = await import(${JSON.stringify(url('engine'))})
    const { litertRuntime } = await import(${JSON.stringify(url('litert-runtime'))})
    const bytes = (await import('node:fs')).readFileSync(${JSON.stringify(modelPath('dense.tflite'))})
    for (const threads of [1, 2]) (await LitertEngine.start({ threads })).load(bytes)
    await (await litertRuntime.load(bytes)).close()
    const after = Reflect.ownKeys(globalThis).filter((key) => !before.has(key) && !String(key).startsWith('__zod'))
    console.log(JSON.stringify(after.map(String)), process.listenerCount('uncaughtException'))
    process.exit(0)`
  const file = join(t.testdir({ 'globals.mjs': script }), 'globals.mjs')
  const child = spawnSync(process.execPath, [file], { encoding: 'utf8' })
  t.equal(child.stdout.trim(), '[] 0', child.stderr)
})

t.test('200 loads and closes leave no memory behind', async (t) => {
  const engine = await LitertEngine.start()
  const bytes = modelBytes('dense-open-batch.tflite')
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      const model = engine.load(bytes)
      for (const batch of [1, 3])
        model.run({ x: tensor('float32', [batch, 4], new Float32Array(4 * batch)) })
      model.close()
    }
    return engine.module.HEAPU8.length
  }
  const before = rounds(20)
  t.equal(rounds(200), before, 'the wasm heap does not grow')
})

t.test('closing a session gives its whole heap back', async (t) => {
  const bytes = modelBytes('dense.tflite')
  const round = async () => {
    const session = await litertRuntime.load(bytes)
    await session.run({ x: X })
    await session.close()
  }
  const leak = await leakOf(async () => {
    for (let i = 0; i < 3; i++) await round()
  })
  // Each session has a heap of 17 MB and as much code: three of them kept would be 90 MB.
  t.ok(leak < 30e6, `${(leak / 1e6).toFixed(0)} MB more`)
})

t.test('a session that is given up, closed or asked too late says so', async (t) => {
  const bytes = modelBytes('dense.tflite')
  await t.rejects(litertRuntime.load(bytes, { loadTimeoutMs: 1 } as object), {
    code: 'not-loadable',
    message: /did not load this model in 1 ms/,
  })
  const session = await litertRuntime.load(bytes)
  const running = session.run({ x: X })
  await Promise.all([t.rejects(running, { code: 'run-failed' }), session.close()])
  await t.rejects(session.run({ x: X }), { code: 'run-failed', message: /closed/ })
})

function url(file: string): string {
  return new URL(`../../../shared/runtime/litert/${file}.js`, import.meta.url).href
}
