import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import {
  executionProviders,
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes, modelPath } from '../../fixture-models.ts'
import { leakOf } from '../../leak.ts'

const bytes = modelBytes('dense.onnx')
const X = tensor('float32', [1, 4], Float32Array.of(0.5, -1, 2, 0.25))
const load = (options: OnnxruntimeLoadOptions) => onnxruntime.load(bytes, options)

t.test('every thread count and optimisation level gives the same answer', async (t) => {
  for (const optimization of ['disabled', 'basic', 'extended', 'all'] as const)
    for (const threads of [1, 2]) {
      const session = await load({ optimization, threads })
      const { scores } = await session.run({ x: X })
      t.ok(Math.abs(Number(scores?.data[2]) - 0.56937) < 1e-4, `${optimization}, ${threads}`)
      t.match(session.details, { threads, optimization, providers: 'cpu' })
      await session.close()
    }
})

t.test('the build says what it can run on, and refuses the rest', async (t) => {
  const providers = await executionProviders()
  t.ok(providers.includes('cpu'), providers.join(', '))
  await t.rejects(load({ providers: ['abacus'] }), { code: 'not-loadable', message: /abacus/ })
})

t.test('the optimised graph and the profile are written', async (t) => {
  const folder = t.testdir()
  const optimizedModelPath = join(folder, 'optimised.onnx')
  const session = await load({ optimizedModelPath, profilePrefix: join(folder, 'profile') })
  await session.run({ x: X })
  await session.close()
  t.ok(existsSync(optimizedModelPath))
  const again = await onnxruntime.load(readFileSync(optimizedModelPath))
  t.same((await again.run({ x: X })).scores?.shape, [1, 3])
  await again.close()
  const profile = readdirSync(folder).find((file) => file.startsWith('profile'))
  t.match(readFileSync(join(folder, profile ?? ''), 'utf8'), /"op_name"\s*:\s*"Gemm"/)
})

t.test('telemetry stays off: no identifier, no log, no upload', async (t) => {
  const folder = t.testdir({ home: {}, tmp: {} })
  const entry = fileURLToPath(new URL(`load-session${extname(import.meta.url)}`, import.meta.url))
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env
  await promisify(execFile)(process.execPath, [entry, modelPath('dense.onnx')], {
    env: { ...env, HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') },
  })
  t.same(readdirSync(join(folder, 'home')), [])
  t.same(readdirSync(join(folder, 'tmp')), [])
})

t.test('loads and closes leave no memory behind', async (t) => {
  const leak = await leakOf(async () => {
    for (let i = 0; i < 100; i++) {
      const session = await load({ threads: 1 })
      await session.run({ x: X })
      await session.close()
    }
  })
  t.ok(leak < 5e6, `${(leak / 1e6).toFixed(1)} MB more after 100 rounds`)
})
