import t, { type Test } from 'tap'
import type { VouchedProbe } from '../../../../shared/messages/index.ts'
import { generateKeyPair } from '../../../../shared/signatures/index.ts'
import type { AttackName } from '../../../../shared/trust/index.ts'
import { agentOf, driverOf, stateDirOf } from '../../device.ts'
import { variantOf } from '../../golden.ts'
import { PUBLISHER } from '../../orders.ts'
import type { PlannerDriver } from '../../planner-driver.ts'
import { probeOrder } from '../../probe-orders.ts'
import { filesOf } from '../../state-files.ts'

/** Forged probe orders by name, against a real daemon: refused, nothing fetched, nothing changed, nothing run. */
type Forge = (driver: PlannerDriver) => Promise<VouchedProbe>

interface Row {
  readonly attack: AttackName
  readonly how: string
  readonly forge: Forge
}

const honest: Forge = (driver) => probeOrder(driver, variantOf())
const ROWS: readonly Row[] = [
  {
    attack: 'arbitrary-software',
    how: 'nobody signs it',
    forge: (driver) => probeOrder(driver, variantOf(), {}, { keys: [] }),
  },
  {
    attack: 'arbitrary-software',
    how: 'signed by a key that is not the director’s',
    forge: (driver) => probeOrder(driver, variantOf(), {}, { keys: [generateKeyPair()] }),
  },
  {
    attack: 'arbitrary-software',
    how: 'signed by the key that signs timestamps of releases',
    forge: (driver) => probeOrder(driver, variantOf(), {}, { keys: [PUBLISHER] }),
  },
  {
    attack: 'arbitrary-software',
    how: 'another file than was signed',
    forge: async (driver) => {
      const { vouched, ...order } = await honest(driver)
      const other = driver.offer(variantOf()).digest
      const payload = vouched.payload.replaceAll(order.variant, other)
      return { ...order, variant: other, vouched: { ...vouched, payload } }
    },
  },
  {
    attack: 'rollback',
    how: 'the first root said again as the one that follows it',
    forge: async (driver) => {
      const order = await honest(driver)
      const root = order.roots.director['1.root.json'] ?? ''
      return { ...order, roots: { ...order.roots, director: { '2.root.json': root } } }
    },
  },
  {
    attack: 'replayed-assignment',
    how: 'said to another device',
    forge: (driver) => probeOrder(driver, variantOf(), {}, { device: 'd2' }),
  },
  {
    attack: 'freeze',
    how: 'a probe whose time is over',
    forge: (driver) =>
      probeOrder(driver, variantOf(), {}, { issuedAt: new Date(Date.now() - 3 * 86_400_000) }),
  },
  {
    attack: 'mix-and-match',
    how: 'the order names another probe than the one that was signed',
    forge: async (driver) => ({ ...(await honest(driver)), id: 'another' }),
  },
]

t.test('forged probe orders', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  await t.test('drop-request: the first roots do not come', async (t) => {
    const order = await honest(driver)
    await refused(t, { ...order, roots: { director: {}, image: {} } }, 'drop-request')
  })
  await t.test('arbitrary-software: the first roots are others', async (t) => {
    const { roots, ...order } = await honest(driver)
    const swapped = { director: roots.image, image: roots.director }
    await refused(t, { ...order, roots: swapped }, 'arbitrary-software')
  })
  const good = await honest(driver)
  await driver.send('d1', good)
  await driver.report('probe', ({ order }) => order === good.id)
  await agent.idle()
  for (const { attack, how, forge } of ROWS) {
    await t.test(`${attack}: ${how}`, async (t) => {
      await refused(t, await forge(driver), attack)
    })
  }
  await t.test('the next honest one is measured, without roots that are known', async (t) => {
    const next = { ...(await honest(driver)), roots: { director: {}, image: {} } }
    await driver.send('d1', next)
    const { result } = await driver.report('probe', ({ order }) => order === next.id)
    t.match(result, { outcome: 'measured' })
  })

  async function refused(t: Test, order: VouchedProbe, code: AttackName) {
    const before = filesOf(stateDir)
    const wanted = driver.wants.length
    await driver.send('d1', order)
    const report = await driver.report('probe', (report) => report.order === order.id)
    t.match(report.result, { outcome: 'failed', error: { code } })
    await agent.idle()
    t.strictSame(filesOf(stateDir), before, 'nothing has changed on the device')
    t.equal(driver.wants.length, wanted, 'nothing was asked for')
    t.equal((await agent.status()).probes.open, 0)
  }
})
