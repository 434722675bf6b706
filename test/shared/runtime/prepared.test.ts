import t from 'tap'
import { openHere, repeatable } from '../../../shared/runtime/index.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'
import { lacks, type NativeThing, nativePath } from '../../native/runtimes.ts'

const LIBRARIES: readonly NativeThing[] = ['tflite', 'litert']

for (const thing of LIBRARIES)
  t.test(
    `${thing}: what the clock is held to answers as a run`,
    { skip: lacks(thing) },
    async (t) => {
      const runtime = await openHere({ runtime: 'tflite', library: nativePath(thing) })
      const session = await runtime.load(modelBytes('dense-open-batch.tflite'))
      const inputs = [1, 3].map((batch) => ({
        x: tensor(
          'float32',
          [batch, 4],
          Float32Array.from({ length: 4 * batch }, (_, i) => i / 7),
        ),
      }))
      const runs = inputs.map((input) => session.prepare?.(input))
      for (const turn of [0, 1, 1, 0]) {
        const [bytes] = runs[turn]?.() ?? []
        const { scores } = await session.run(inputs[turn] ?? {})
        t.same(
          new Float32Array(bytes?.slice().buffer ?? new ArrayBuffer()),
          scores?.data,
          `${turn}`,
        )
      }
      t.throws(() => session.prepare?.({}), { code: 'wrong-input' })
      await session.close()
      t.throws(() => runs[0]?.(), /a closed model is not run/)
    },
  )

t.test('applications have nothing but run where the runtime is a package', async (t) => {
  const session = await (await openHere({ runtime: 'litert' })).load(modelBytes('dense.tflite'))
  t.equal(session.prepare, undefined)
  const answers = repeatable(session, { x: tensor('float32', [1, 4], Float32Array.of(1, 2, 3, 4)) })
  t.match(await answers(), { scores: { shape: [1, 3] } })
  await session.close()
})
