import t from 'tap'
import { digestOf } from '../../../shared/digest.ts'
import { spawnAgent } from '../agent-process.ts'
import { driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { bootedVariant, deviceWithVariant, runUntil, runUntilKilled } from '../power.ts'
import { probeOrder } from '../probe-orders.ts'

t.test('an agent that dies again and again in the self-test goes back, and says so', async (t) => {
  const { driver, stateDir, old, assign } = await deviceWithVariant(t)
  const order = assign({ artifact: driver.offer(variantOf()), counter: 2 })
  // The fourth death in one step is a loop; the write of `rolling-back` comes before that of `active`.
  for (let death = 0; death < 4; death += 1) {
    await runUntilKilled(driver, stateDir, 'install.active.before')
  }
  await runUntil(driver, stateDir, order.id, 'rolled-back')
  const report = await driver.report('install', ({ state }) => state === 'rolled-back')
  t.equal(report.error?.code, 'restart-loop')
  t.equal(bootedVariant(stateDir), old)
})

t.test('a fail point that does not exist is refused', async (t) => {
  const driver = await driverOf(t)
  const { code, stderr } = await runUntilKilled(driver, stateDirOf(t), 'install.dancing.after')
  t.equal(code, 2)
  t.match(stderr, /install\.dancing\.after/)
})

t.test('a newer order that was accepted before the power went takes over after it', async (t) => {
  const { driver, stateDir, assign } = await deviceWithVariant(t)
  const stuck = driver.offer(variantOf(200_000))
  driver.withdraw(stuck)
  const first = assign({ artifact: stuck, counter: 2 })
  const wanted = variantOf()
  const agent = spawnAgent(driver, stateDir, { FITMENT_FAIL_POINT: 'install.queued.after' })
  await driver.report(
    'install',
    (report) => report.order === first.id && report.state === 'downloading',
  )
  const newer = assign({ artifact: driver.offer(wanted), counter: 3 })
  await driver.send('d1', newer)
  t.equal((await agent.ended).signal, 'SIGKILL')
  driver.orders.length = 0
  await runUntil(driver, stateDir, newer.id, 'active')
  t.equal(bootedVariant(stateDir), digestOf(wanted))
  t.ok(
    driver.reports.some(
      (report) => report.kind === 'install' && report.error?.code === 'superseded',
    ),
  )
})

t.test('a probe survives a death at every write; two deaths while measuring end it', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const survives = await probeOrder(driver, variantOf())
  driver.orders.push(survives)
  for (const point of ['accepted.after', 'downloading.torn', 'measuring.torn', 'measuring.after']) {
    t.equal((await runUntilKilled(driver, stateDir, `probe.${point}`)).signal, 'SIGKILL', point)
  }
  const answerTo = async (order: string) => {
    const agent = spawnAgent(driver, stateDir)
    const { result } = await driver.report('probe', (report) => report.order === order)
    agent.child.kill('SIGTERM')
    await agent.ended
    return result
  }
  t.match(await answerTo(survives.id), { outcome: 'measured' })

  const deadly = await probeOrder(driver, variantOf())
  driver.orders.splice(0, 1, deadly)
  for (let death = 0; death < 2; death += 1) {
    await runUntilKilled(driver, stateDir, 'probe.measured.before')
  }
  t.match(await answerTo(deadly.id), { outcome: 'failed', error: { code: 'restart-loop' } })
})
