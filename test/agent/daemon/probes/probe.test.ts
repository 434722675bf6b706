import t from 'tap'
import { newId } from '../../../../shared/ids.ts'
import { askedProbe } from '../../../asked-probe.ts'
import { agentOf, driverOf, stateDirOf } from '../../device.ts'
import { variantOf } from '../../golden.ts'
import { assignOrder } from '../../orders.ts'
import { probeOrder } from '../../probe-orders.ts'

t.test(
  'a probe is measured once, and its variant is not downloaded again when it is assigned',
  async (t) => {
    const driver = await driverOf(t)
    const stateDir = stateDirOf(t)
    const agent = await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[0])
    const bytes = variantOf(500_000)
    const order = await probeOrder(driver, bytes)
    await driver.send('d1', order)
    const { result } = await driver.report('probe', (report) => report.order === order.id)
    t.match(result, { outcome: 'measured', record: { quality: { samples: 8 } } })
    t.ok(driver.reports.some((report) => report.kind === 'ack' && report.order === order.id))

    const sent = driver.blocksSent
    const assign = assignOrder({ artifact: driver.offer(bytes), selfTest: askedProbe(order).data })
    await driver.send('d1', assign)
    await driver.report('install', ({ state }) => state === 'active')
    t.equal(driver.blocksSent, sent)

    await driver.send('d1', order)
    const answers = () => driver.reports.filter((report) => report.kind === 'probe')
    await driver.until(() => answers().length === 2)
    t.same(answers()[1], { ...answers()[0], id: answers()[1]?.id, at: answers()[1]?.at })

    await agent.close()
    const again = await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[1])
    await driver.send('d1', order)
    await driver.until(() => answers().length === 3)
    t.equal(
      (await again.status()).probes.done,
      1,
      'after a restart it is answered from the journal',
    )
  },
)

t.test('one order measures several, in turns with each other, and tells of each', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver)
  await driver.until(() => driver.births[0])
  const other = (artifact: ReturnType<typeof driver.offer>, probe: string) =>
    ({ probe, variant: artifact.digest, artifact, runtime: 'litert', threads: 1 }) as const
  const runs = driver.offer(variantOf(400_000))
  const garbage = driver.offer(Buffer.from('this is no model but long enough to look at'))
  const order = await probeOrder(driver, variantOf(300_000), {
    others: [
      { ...other(runs, 'second'), beside: null },
      { ...other(garbage, 'third'), beside: 'second' },
    ],
  })
  await driver.send('d1', order)
  const report = await driver.report('probe', (one) => one.order === order.id)
  t.match(report.result, { outcome: 'measured', record: { ratios: [{ probe: 'second' }] } })
  t.match(report.others, [
    { probe: 'second', result: { outcome: 'measured', record: { ratios: [{ probe: order.id }] } } },
    { probe: 'third', result: { outcome: 'failed', error: { code: 'not-loadable' } } },
  ])
})

t.test('a variant that no runtime loads is a result, and the next probe runs', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver)
  await driver.until(() => driver.births[0])
  const bad = await probeOrder(driver, Buffer.alloc(4_000, 3))
  const good = await probeOrder(driver, variantOf(), { id: 'next' })
  await driver.send('d1', bad)
  await driver.send('d1', good)
  const report = await driver.report('probe', ({ order }) => order === bad.id)
  t.match(report.result, { outcome: 'failed', error: { code: 'not-loadable' } })
  t.match(await driver.report('probe', ({ order }) => order === 'next'), {
    result: { outcome: 'measured' },
  })
})

t.test('a cancelled probe ends at once, whether it waits or runs', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver)
  await driver.until(() => driver.births[0])
  const stuck = await probeOrder(driver, variantOf())
  driver.withdraw(askedProbe(stuck).artifact)
  const waiting = await probeOrder(driver, variantOf())
  for (const order of [stuck, waiting]) await driver.send('d1', order)
  await driver.report('ack', ({ order }) => order === waiting.id)
  for (const { id } of [waiting, stuck]) {
    await driver.send('d1', { v: 1, id: newId(), kind: 'cancel', order: id })
    const report = await driver.report('probe', ({ order }) => order === id)
    t.match(report.result, { outcome: 'failed', error: { code: 'cancelled' } })
  }
})
