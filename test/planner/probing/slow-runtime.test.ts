import { readFileSync } from 'node:fs'
import t from 'tap'
import { demoFile } from '../../../planner/demo/demo-file.ts'
import { differenceFrom } from '../../../planner/probing/same-samples.ts'
import { readDataset } from '../../../shared/dataset/dataset.ts'
import { evaluate } from '../../../shared/measure/evaluate.ts'
import { loadRuntime } from '../../../shared/runtime/load-runtime.ts'
import type { Session } from '../../../shared/runtime/runtime.ts'

/** The same model, on a device that takes its time. */
function slow(session: Session, ms: number): Session {
  return {
    ...session,
    run: async (inputs) => {
      const until = performance.now() + ms
      const answers = await session.run(inputs)
      while (performance.now() < until);
      return answers
    },
  }
}

t.test('a slow runtime with a deadline answers the same on the same samples', async (t) => {
  const session = await (await loadRuntime('litert')).load(
    readFileSync(demoFile('motor-faults', 'model.tflite')),
  )
  t.teardown(() => session.close())
  const data = await readDataset(demoFile('motor-faults', 'test.npz'))
  const host = await evaluate(session, data)
  const device = await evaluate(slow(session, 5), data, { stopAfterMs: 400 })
  t.equal(host.samples, data.samples)
  t.ok(device.samples < host.samples, `${device.samples} of ${host.samples} in time`)
  t.ok(device.samples > 1)
  t.not(device.accuracy, host.accuracy, 'fewer samples have another accuracy by themselves')
  const difference = differenceFrom(host, device)
  t.equal(difference?.samples, device.samples)
  t.equal(difference?.accuracy, 0, 'on those both answered, nothing is lost')
  t.equal(difference?.pValue, 1)
})
