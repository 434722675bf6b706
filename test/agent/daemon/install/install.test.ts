import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { TrustedAssignment } from '../../../../agent/trust/index.ts'
import { digestOf } from '../../../../shared/digest.ts'
import { generateKeyPair } from '../../../../shared/signatures/index.ts'
import { agentOf, driverOf, eventually, stateDirOf } from '../../device.ts'
import { goldenData, variantOf } from '../../golden.ts'
import { type AssignmentDraft, assignOrder } from '../../orders.ts'
import type { PlannerDriver } from '../../planner-driver.ts'

function currentOf(stateDir: string, model = 'motor'): string | undefined {
  try {
    return readlinkSync(join(stateDir, 'slots', model, 'current'))
  } catch {
    return undefined
  }
}

function bytesOfCurrent(stateDir: string): Buffer {
  return readFileSync(join(stateDir, 'slots', 'motor', 'current', 'model.tflite'))
}

async function statesOf(driver: PlannerDriver, order: string, end: string): Promise<string[]> {
  await driver.report('install', (report) => report.order === order && report.state === end)
  return driver.reports.flatMap((report) =>
    report.kind === 'install' && report.order === order && report.bytesDone === undefined
      ? [report.state]
      : [],
  )
}

async function errorOf(driver: PlannerDriver, order: string): Promise<string | undefined> {
  const ends = ['refused', 'failed', 'rolled-back']
  const report = await driver.report(
    'install',
    (candidate) => candidate.order === order && ends.includes(candidate.state),
  )
  return `${report.state}: ${report.error?.code}`
}

t.test(
  'an assignment is acknowledged, fetched, tested and active, and told step by step',
  async (t) => {
    const driver = await driverOf(t)
    const stateDir = stateDirOf(t)
    const agent = await agentOf(t, stateDir, driver)
    const bytes = variantOf(300_000)
    const selfTest = driver.offer(await goldenData())
    const order = assignOrder({ artifact: driver.offer(bytes), selfTest })
    await driver.until(() => driver.births[0])
    await driver.send('d1', order)
    t.same(await statesOf(driver, order.id, 'active'), [
      'accepted',
      'downloading',
      'verified',
      'installed',
      'active',
    ])
    t.ok(driver.reports.some((report) => report.kind === 'ack' && report.order === order.id))
    t.equal(currentOf(stateDir), digestOf(bytes))
    t.ok(bytesOfCurrent(stateDir).equals(bytes))
    await agent.idle()
    const { models } = await agent.status()
    t.equal(models[0]?.installation?.step, 'active')
    t.same(readdirSync(join(stateDir, 'artifacts', 'partial')), [], 'nothing half-done is left')
  },
)

interface Refusal {
  readonly name: string
  readonly error: string
  readonly draft?: Partial<TrustedAssignment>
  readonly sign?: boolean
}

const day = 86_400_000
const REFUSALS: readonly Refusal[] = [
  { name: 'another device', draft: { device: 'd2' }, error: 'refused: replayed-assignment' },
  {
    name: 'expired',
    draft: { expiresAt: new Date(Date.now() - day).toISOString() },
    error: 'refused: freeze',
  },
  { name: 'an untrusted key', sign: false, error: 'refused: arbitrary-software' },
  {
    name: 'a variant that is not its bytes',
    draft: { variant: '1'.repeat(64) },
    error: 'refused: mix-and-match',
  },
]

for (const { name, draft, sign = true, error } of REFUSALS) {
  t.test(`refuses ${name}, and changes nothing`, async (t) => {
    const driver = await driverOf(t)
    const stateDir = stateDirOf(t)
    await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[0])
    const key = sign ? {} : { key: generateKeyPair() }
    const order = assignOrder({ artifact: driver.offer(variantOf()), ...draft }, key)
    await driver.send('d1', order)
    t.equal(await errorOf(driver, order.id), error)
    t.equal(currentOf(stateDir), undefined)
  })
}

t.test('stories of one device that has a good variant', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const selfTest = driver.offer(await goldenData())
  const send = async (draft: AssignmentDraft) => {
    const order = assignOrder({ selfTest, ...draft })
    await driver.send('d1', order)
    return order
  }
  const good = variantOf()
  const first = await send({ artifact: driver.offer(good), counter: 5 })
  await statesOf(driver, first.id, 'active')

  await t.test('a lower counter is refused as a rollback', async (t) => {
    const order = await send({ artifact: driver.offer(variantOf()), counter: 4 })
    t.equal(await errorOf(driver, order.id), 'refused: rollback')
  })

  await t.test('the same counter with another variant is refused as a rollback', async (t) => {
    const order = await send({ artifact: driver.offer(variantOf()), counter: 5 })
    t.equal(await errorOf(driver, order.id), 'refused: rollback')
  })

  await t.test('the same order again is answered, not done again', async (t) => {
    const wants = driver.wants.length
    const active = (report: { kind: string; state?: string }) => report.state === 'active'
    const before = driver.reports.filter(active).length
    await driver.send('d1', first)
    await driver.until(() => driver.reports.filter(active).length > before)
    t.equal(driver.wants.length, wants)
  })

  await t.test('outputs that do not agree roll back, and say why', async (t) => {
    const spoiled = driver.offer(await goldenData(true))
    const bad = variantOf()
    const order = await send({ artifact: driver.offer(bad), counter: 6, selfTest: spoiled })
    t.equal(await errorOf(driver, order.id), 'rolled-back: self-test-failed')
    t.equal(currentOf(stateDir), digestOf(good))
    const health = await driver.report('health', ({ variant }) => variant === digestOf(good))
    t.match(health.detail, /do not agree/)
    await eventually(() => !readdirSync(join(stateDir, 'slots', 'motor')).includes(digestOf(bad)))
  })

  await t.test('bytes that are no model roll back', async (t) => {
    const order = await send({ artifact: driver.offer(Buffer.alloc(5_000, 7)), counter: 7 })
    t.equal(await errorOf(driver, order.id), 'rolled-back: not-loadable')
    t.ok(bytesOfCurrent(stateDir).equals(good))
  })

  await t.test('two more variants leave current and previous, and no others', async (t) => {
    const second = variantOf()
    const third = variantOf()
    await statesOf(
      driver,
      (await send({ artifact: driver.offer(second), counter: 8 })).id,
      'active',
    )
    await statesOf(driver, (await send({ artifact: driver.offer(third), counter: 9 })).id, 'active')
    const kept = new Set([digestOf(second), digestOf(third), 'current', 'previous'])
    await eventually(() => readdirSync(join(stateDir, 'slots', 'motor')).length === 4)
    t.same(new Set(readdirSync(join(stateDir, 'slots', 'motor'))), kept)
  })
})

t.test('the only variant, assigned once more, is not thrown away when it fails', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const artifact = driver.offer(variantOf())
  const first = assignOrder({ artifact, counter: 1 })
  await driver.send('d1', first)
  await statesOf(driver, first.id, 'active')
  const selfTest = driver.offer(await goldenData(true))
  const again = assignOrder({ artifact, counter: 2, selfTest })
  await driver.send('d1', again)
  await statesOf(driver, again.id, 'rolled-back')
  t.equal(currentOf(stateDir), artifact.digest)
  t.match(await driver.report('health', () => true), { variant: artifact.digest, healthy: true })
})

t.test('a newer assignment takes the place of one that is under way', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const lost = driver.offer(variantOf(200_000))
  driver.withdraw(lost)
  const stuck = assignOrder({ artifact: lost, counter: 1 })
  const displaced = assignOrder({ artifact: lost, counter: 2 })
  const wanted = variantOf()
  const last = assignOrder({ artifact: driver.offer(wanted), counter: 3 })
  await driver.send('d1', stuck)
  await driver.report('install', (report) => report.state === 'downloading')
  await driver.send('d1', displaced)
  await driver.send('d1', last)
  await statesOf(driver, last.id, 'active')
  t.equal(await errorOf(driver, stuck.id), 'failed: superseded')
  t.equal(await errorOf(driver, displaced.id), 'failed: superseded')
  t.equal(currentOf(stateDir), digestOf(wanted))
})
