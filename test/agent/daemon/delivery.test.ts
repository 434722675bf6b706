import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BLOCK_BYTES } from '../../../shared/messages/index.ts'
import { spawnAgent } from '../agent-process.ts'
import { agentOf, driverOf, eventually, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import { PlannerDriver } from '../planner-driver.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../small-disk.ts'

const MIB = 1024 * 1024
const WINDOW = 16

t.test('killed in the middle of a download, the agent asks for the rest', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const bytes = variantOf(60 * BLOCK_BYTES)
  const ref = driver.offer(bytes)
  driver.orders.push(assignOrder({ artifact: ref }))
  const agent = spawnAgent(driver, stateDir)
  driver.interfere = (artifact, index, frame) => {
    if (artifact === ref.digest && index === 30) agent.child.kill('SIGKILL')
    return [frame]
  }
  t.equal((await agent.ended).signal, 'SIGKILL')
  const sent = driver.blocksSent
  t.ok(sent >= 30)
  driver.interfere = undefined
  await agentOf(t, stateDir, driver)
  await driver.report('install', ({ state }) => state === 'active')
  t.ok(driver.blocksSent <= 60 + 1 + WINDOW, `${driver.blocksSent} blocks sent for 60 and a list`)
  t.ok(readFileSync(join(stateDir, 'slots/motor/current/model.tflite')).equals(bytes))
})

t.test('a broker that is gone for a while in the middle of a download loses nothing', async (t) => {
  const first = await PlannerDriver.start()
  const stateDir = stateDirOf(t)
  const bytes = variantOf(60 * BLOCK_BYTES)
  const ref = first.offer(bytes)
  const order = assignOrder({ artifact: ref })
  first.orders.push(order)
  let port = 0
  let stopped: Promise<unknown> = Promise.resolve()
  first.interfere = (artifact, index, frame) => {
    if (artifact === ref.digest && index === 25 && port === 0) {
      port = first.port
      stopped = first.stop()
    }
    return [frame]
  }
  await agentOf(t, stateDir, first)
  await eventually(() => port !== 0)
  await stopped
  const second = await PlannerDriver.start({ port })
  t.teardown(() => second.stop())
  second.offer(bytes)
  second.orders.push(order)
  await second.report('install', ({ state }) => state === 'active')
  t.ok(second.blocksSent < 60)
})

t.test('reports wait for the planner through restarts of the agent', async (t) => {
  const driver = await driverOf(t)
  driver.receipts = false
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const order = assignOrder({ artifact: driver.offer(variantOf()) })
  await driver.send('d1', order)
  await driver.report('install', ({ state }) => state === 'active')
  const said = driver.reports.length
  t.equal((await agent.status()).reportsWaiting, said)
  await agent.close()

  const ids = driver.reports.map(({ id }) => id)
  driver.reports.length = 0
  driver.receipts = true
  const again = await agentOf(t, stateDir, driver)
  await driver.until(() => driver.reports.length === said)
  t.same(
    driver.reports.map(({ id }) => id),
    ids,
    'the same reports, in the same order',
  )
  let waiting = said
  while (waiting > 0) waiting = (await again.status()).reportsWaiting
  t.equal(waiting, 0)
})

t.test('a budget that is too small is a refusal with its numbers', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver, { storageLimitBytes: 3 * MIB })
  await driver.until(() => driver.births[0])
  await driver.send('d1', assignOrder({ artifact: driver.offer(variantOf(5 * MIB)) }))
  const { error } = await driver.report('install', ({ state }) => state === 'refused')
  t.match(error, { code: 'storage-full', message: /needs 5\.0 MiB, .* of the 3\.0 MiB/ })
  t.equal(driver.wants.length, 0)
})

t.test('a disk that fills up on the way: failed, and the old variant runs on', async (t) => {
  const stateDir = smallDisk(t, 6 * MIB)
  if (stateDir === undefined) {
    t.comment(WITHOUT_SMALL_DISK)
    return
  }
  const driver = await driverOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const old = variantOf()
  await driver.send('d1', assignOrder({ artifact: driver.offer(old), counter: 1 }))
  await driver.report('install', ({ state }) => state === 'active')

  const large = driver.offer(variantOf(3 * MIB))
  driver.interfere = (artifact, index, frame) => {
    if (artifact === large.digest && index === 20) fillUp(join(stateDir, '..', 'ballast'))
    return [frame]
  }
  await driver.send('d1', assignOrder({ artifact: large, counter: 2 }))
  const { error } = await driver.report('install', ({ state }) => state === 'failed')
  t.match(error, { code: 'disk-full' })
  t.ok(readFileSync(join(stateDir, 'slots/motor/current/model.tflite')).equals(old))
})
