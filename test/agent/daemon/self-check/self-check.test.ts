import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askOn } from '../../../../agent/client/ask.ts'
import { healthSocketPath } from '../../../../agent/client/index.ts'
import { isQuiet } from '../../../../agent/daemon/self-check/self-check.ts'
import { agentOf, driverOf, stateDirOf } from '../../device.ts'
import { goldenData, variantOf } from '../../golden.ts'
import { assignOrder } from '../../orders.ts'

const ALWAYS = { everyMs: 400, quietHours: [0, 0] } as const

t.test(
  'the installed variant is run on its golden inputs in a quiet hour, and the next report says so',
  async (t) => {
    const { driver } = await deviceOf(t)
    const { check } = await driver.report('observations', (report) => report.check !== null)
    t.match(check, { ok: true, detail: /answers its golden inputs/ })
    t.ok((check?.p50Ms ?? 0) > 0, 'and a short probe measured it')
  },
)

t.test('a file that rotted on disk is told', async (t) => {
  const { driver, stateDir } = await deviceOf(t)
  await driver.report('observations', (report) => report.check?.ok === true)
  writeFileSync(join(stateDir, 'slots', 'motor', 'current', 'model.tflite'), 'rust')
  const { check } = await driver.report('observations', (report) => report.check?.ok === false)
  t.match(check, { ok: false, detail: /not what was installed/, p50Ms: null })
})

t.test('quiet hours are of the device, and may go over midnight', async (t) => {
  const at = (hour: number) => new Date(2026, 10, 29, hour, 30)
  const quiet = (from: number, to: number) =>
    Array.from({ length: 24 }, (_, hour) => hour).filter((hour) =>
      isQuiet(at(hour), { everyMs: 1, quietHours: [from, to] }),
    )
  t.same(quiet(2, 5), [2, 3, 4])
  t.same(quiet(22, 2), [0, 1, 22, 23])
  t.equal(quiet(3, 3).length, 24)
})

async function deviceOf(t: Test) {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver, { observeMs: 600, check: ALWAYS })
  await driver.until(() => driver.births[0])
  const artifact = driver.offer(variantOf())
  const selfTest = driver.offer(await goldenData())
  await driver.send('d1', assignOrder({ artifact, selfTest }))
  await driver.report('install', ({ state }) => state === 'active')
  await askOn(healthSocketPath(stateDir), 'observe {"model":"motor","latencyMs":1}')
  return { driver, stateDir }
}
