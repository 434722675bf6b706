import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { metricsOf } from '../../../agent/cli/status-command.ts'
import { askAgent, ModelLocks, readCurrent, socketPath } from '../../../agent/client/index.ts'
import { statusSchema } from '../../../agent/daemon/sockets/status.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'

t.test('what an application on the device sees', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  t.equal(await readCurrent(stateDir, 'motor'), undefined)
  const lock = await new ModelLocks(stateDir, 'motor').hold(undefined, 'inspects belt 3')
  const artifact = driver.offer(variantOf())
  await driver.send('d1', assignOrder({ artifact, scheme: 'static-w8a8', counter: 7 }))
  await driver.report('install', ({ state }) => state === 'installed')

  await t.test('a lock it holds keeps the agent waiting', async (t) => {
    const status = statusSchema.parse(await askAgent(stateDir, 'status'))
    t.equal(status.models[0]?.installation?.step, 'waiting')
    t.match(status.models[0]?.locks, [{ reason: 'inspects belt 3' }])
    t.equal(await readCurrent(stateDir, 'motor'), undefined)
    const told = await driver.report('install', ({ waitsFor }) => waitsFor !== undefined)
    t.equal(told.state, 'installed', 'the fleet is told for whom, once it lasts')
    t.match(told.waitsFor, new RegExp(`^${process.pid}-.* \\(inspects belt 3\\)$`))
    await lock.release()
    await driver.report('install', ({ state }) => state === 'active')
  })

  await t.test('the current variant, by link and by socket', async (t) => {
    const file = join(stateDir, 'slots', 'motor', artifact.digest, 'model.tflite')
    t.match(await readCurrent(stateDir, 'motor'), {
      file,
      slot: { scheme: 'static-w8a8', counter: 7 },
    })
    const answer = { v: 1, model: 'motor', variant: artifact.digest, file }
    t.same(await askAgent(stateDir, 'current motor'), answer)
    t.match(await askAgent(stateDir, 'current nothing'), { variant: null, file: null })
    const figures = await metricsOf(stateDir)
    t.match(figures, /^fitment_agent_model_revision\{model="motor"\} -?\d+$/m)
    t.match(figures, /^process_resident_memory_bytes \d+$/m)
  })

  await t.test('a question that is none is told what can be asked', async (t) => {
    for (const question of ['', 'current', 'current a b', 'current ../..', 'reboot']) {
      t.match(await askAgent(stateDir, question), { error: /status/ })
    }
  })

  await t.test('a question without an end is cut off', async (t) => {
    const socket = connect(socketPath(stateDir))
    socket.on('error', () => {})
    socket.write('x'.repeat(100_000))
    await new Promise((resolve) => socket.once('close', resolve))
    t.ok(statusSchema.safeParse(await askAgent(stateDir, 'status')).success)
  })
})

t.test('without an agent nobody answers', async (t) => {
  t.equal(await askAgent(stateDirOf(t), 'status'), undefined)
})
