import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseEndpoint } from '../../../agent/link/index.ts'
import type { OrderOf } from '../../../shared/messages/index.ts'
import { printImageFiles } from '../../../shared/trust/index.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'
import { filesOf } from '../state-files.ts'

const PROGRAM = fileURLToPath(new URL('../trickle-process.js', import.meta.url))

t.test('slow-retrieval: metadata that trickles over the wire byte by byte', async (t) => {
  const driver = await driverOf(t)
  const network = await slowNetwork(t, driver.port)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver, {
    endpoint: parseEndpoint(`mqtt://127.0.0.1:${network.port}`),
    // Bytes come all the time: it is not silence that ends this.
    patience: { silenceMs: 60_000, wholeMs: 1_500 },
  })
  await driver.until(() => driver.births[0])
  const good = assignOrder({ artifact: driver.offer(variantOf()), counter: 1 })
  await driver.send('d1', good)
  t.equal((await endOf(driver, good)).state, 'active')
  await agent.idle()
  const before = filesOf(stateDir)

  const slow = inBlocks(driver)
  driver.interfere = (artifact, _index, frame) => {
    if (artifact !== slow.image?.digest) return [frame]
    void network.say('trickle').then(() => driver.sendRaw('d1', 'blocks', frame))
    return []
  }
  await driver.send('d1', slow)
  await driver.until(() => driver.wants.find(({ artifact }) => artifact === slow.image?.digest))
  await agent.idle()
  t.ok((await network.say('flow')) > 10, 'it did not stand still')
  t.match(await endOf(driver, slow), { state: 'refused', error: { code: 'slow-retrieval' } })
  t.notOk(
    driver.wants.some(({ artifact }) => artifact === slow.variant),
    'nothing of it was downloaded',
  )
  await agent.idle()
  t.strictSame(filesOf(stateDir), before, 'nothing has changed on the device')

  driver.interfere = undefined
  const next = assignOrder({ artifact: driver.offer(variantOf()), counter: 3 })
  await driver.send('d1', next)
  t.equal((await endOf(driver, next)).state, 'active', 'the network well again, it goes on')
  t.equal(readlinkSync(join(stateDir, 'slots', 'motor', 'current')), next.variant)
})

/** A process between agent and broker; `say` resolves once it does as it was told, with the bytes that trickled so far. */
async function slowNetwork(t: Test, brokerPort: number) {
  const child = fork(PROGRAM, [`${brokerPort}`])
  t.teardown(() => child.kill())
  const [port] = (await once(child, 'message')) as [number]
  const say = async (word: 'trickle' | 'flow') => {
    child.send(word)
    const [trickled] = (await once(child, 'message')) as [number]
    return trickled
  }
  return { port, say }
}

/** An order whose metadata travels in blocks. */
function inBlocks(driver: PlannerDriver): OrderOf<'assign'> {
  const order = assignOrder({ artifact: driver.offer(variantOf()), counter: 2 })
  const { '1.root.json': root = '', ...files } = order.offer.image
  const image = driver.offer(printImageFiles(files))
  return { ...order, offer: { ...order.offer, image: { '1.root.json': root } }, image }
}

function endOf(driver: PlannerDriver, order: OrderOf<'assign'>) {
  const ends = ['active', 'refused', 'failed', 'rolled-back']
  return driver.report('install', ({ order: of, state }) => of === order.id && ends.includes(state))
}
