import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BLOCK_BYTES } from '../../../shared/messages/index.ts'
import { selfSigned } from '../../self-signed.ts'
import { spawnAgent } from '../agent-process.ts'
import { CopyServer, STRAIGHT } from '../artifacts/copy-server.ts'
import { driverOf, eventually, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'

/** A planner that names a copy of its artifacts behind TLS, and a device that trusts its certificate. */
async function setUp(t: Test) {
  const tls = await selfSigned()
  const server = await CopyServer.start(t, tls)
  const driver = await driverOf(t)
  driver.copy = server.url
  const stateDir = stateDirOf(t)
  const bytes = variantOf(60 * BLOCK_BYTES)
  const ref = driver.offer(bytes)
  server.put(bytes)
  driver.orders.push(assignOrder({ artifact: ref }))
  const trusting = { NODE_EXTRA_CA_CERTS: join(t.testdir({ 'ca.pem': tls.cert }), 'ca.pem') }
  const spawn = (environment: Readonly<Record<string, string>> = {}) => {
    const agent = spawnAgent(driver, stateDir, { ...trusting, ...environment })
    t.teardown(async () => {
      agent.child.kill('SIGTERM')
      await agent.ended
    })
    return agent
  }
  const installed = () => readFileSync(join(stateDir, 'slots/motor/current/model.tflite'))
  const partialBytes = () =>
    statSync(join(stateDir, 'artifacts/partial', ref.digest), { throwIfNoEntry: false })?.size ?? 0
  return { server, driver, spawn, bytes, installed, partialBytes }
}

t.test('a device fetches its model past the broker, and no block through it', async (t) => {
  const { server, driver, spawn, bytes, installed } = await setUp(t)
  spawn()
  await driver.report('install', ({ state }) => state === 'active')
  t.ok(installed().equals(bytes))
  t.equal(driver.blocksSent, 0)
  t.equal(server.asked.length, 2)
})

t.test('killed on the way, it asks the copy for the rest', async (t) => {
  const { server, driver, spawn, bytes, installed, partialBytes } = await setUp(t)
  const first = spawn()
  server.behave = (response, asked, file) => {
    if (file.length < BLOCK_BYTES) return STRAIGHT(response, asked, file)
    response.writeHead(206, { 'content-range': `bytes ${asked.from}-${asked.to}/${file.length}` })
    response.write(file.subarray(0, 30 * BLOCK_BYTES))
  }
  await eventually(() => partialBytes() >= 10 * BLOCK_BYTES)
  first.child.kill('SIGKILL')
  t.equal((await first.ended).signal, 'SIGKILL')
  server.behave = STRAIGHT
  spawn()
  await driver.report('install', ({ state }) => state === 'active')
  t.ok(installed().equals(bytes))
  t.equal(driver.blocksSent, 0)
  t.ok((server.asked.at(-1)?.from ?? 0) >= 9 * BLOCK_BYTES, 'not what is on disk')
})

t.test('a copy with other bytes: one line, and the broker brings the model', async (t) => {
  const { server, driver, spawn, bytes, installed } = await setUp(t)
  server.behave = (response, asked, file) => {
    const spoiled = Buffer.from(file)
    if (file.length > BLOCK_BYTES) spoiled[20 * BLOCK_BYTES] = ~(spoiled[20 * BLOCK_BYTES] ?? 0)
    STRAIGHT(response, asked, spoiled)
  }
  const agent = spawn()
  await driver.report('install', ({ state }) => state === 'active')
  t.ok(installed().equals(bytes))
  t.ok(driver.blocksSent >= 40 && driver.blocksSent < 60, 'only what the copy had not given')
  agent.child.kill('SIGTERM')
  const { stderr } = await agent.ended
  t.equal(stderr.match(/other bytes in block 20/g)?.length, 1)
})

t.test('with --no-pull the copy is never asked', async (t) => {
  const { server, driver, spawn, bytes, installed } = await setUp(t)
  spawn({ FITMENT_NO_PULL: 'true' })
  await driver.report('install', ({ state }) => state === 'active')
  t.ok(installed().equals(bytes))
  t.equal(server.asked.length, 0)
})
