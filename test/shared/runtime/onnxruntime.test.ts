import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  executionProviders,
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'

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

t.test('300 loads and closes leave no memory behind', async (t) => {
  const rounds = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const session = await load({ threads: 1 })
      await session.run({ x: X })
      await session.close()
    }
    return process.memoryUsage().rss / 1e6
  }
  const before = await rounds(100)
  const after = await rounds(300)
  t.ok(after - before < 15, `${(after - before).toFixed(1)} MB more`)
})
