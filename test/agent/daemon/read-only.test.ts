import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { startAgent } from '../../../agent/daemon/index.ts'
import { agentOf, agentOptions, driverOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import { smallDisk, WITHOUT_SMALL_DISK } from '../small-disk.ts'

t.test(
  'a file system that has become read-only: said in one line, and the variant stays',
  async (t) => {
    const stateDir = smallDisk(t, 8 * 2 ** 20)
    if (stateDir === undefined) {
      t.comment(WITHOUT_SMALL_DISK)
      return
    }
    const remount = (mode: 'ro' | 'rw') =>
      execFileSync('mount', ['-o', `remount,${mode}`, dirname(stateDir)])
    const driver = await driverOf(t)
    const first = await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[0])
    const old = variantOf()
    await driver.send('d1', assignOrder({ artifact: driver.offer(old), counter: 1 }))
    await driver.report('install', ({ state }) => state === 'active')
    await first.close()

    remount('ro')
    const failed = await startAgent(agentOptions(stateDir, driver.url)).catch((error) => error)
    t.match(failed, { message: /read-only|writable/ })
    t.notMatch(failed.message, '\n')
    const current = () => readFileSync(join(stateDir, 'slots', 'motor', 'current', 'model.tflite'))
    t.ok(current().equals(old), 'applications read on')

    remount('rw')
    const births = driver.births.length
    await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[births])
    const next = variantOf()
    const order = assignOrder({ artifact: driver.offer(next), counter: 2 })
    await driver.send('d1', order)
    await driver.report('install', (r) => r.order === order.id && r.state === 'active')
    t.ok(current().equals(next), 'and what comes later is installed')
  },
)
