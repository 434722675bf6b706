import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { digestOf } from '../../../shared/digest.ts'
import { spawnAgent } from '../agent-process.ts'
import { driverOf, stateDirOf } from '../device.ts'
import { goldenData, variantOf } from '../golden.ts'
import { type AssignmentDraft, assignOrder } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'

/** `.before` is left to the soak: a torn write is one that was not made, and harder. */
const MOMENTS = ['torn', 'after'] as const

function pointsOf(steps: readonly string[]): string[] {
  return steps.flatMap((step) => MOMENTS.map((moment) => `install.${step}.${moment}`))
}

/** Places between two writes, in the step that the write before them began. */
const BETWEEN: Readonly<Record<string, readonly string[]>> = {
  'install.installing.after': ['slot.drafted', 'slot.placed'],
  'install.switching.after': ['slot.previous.pointed', 'slot.current.pointed'],
}

/** The variant a device boots; its bytes must be right, whatever happened. */
function bootedVariant(stateDir: string): string | undefined {
  const slots = join(stateDir, 'slots', 'motor')
  const link = join(slots, 'current')
  if (!existsSync(slots)) return undefined
  const variant = readlinkSync(link)
  const bytes = readFileSync(join(link, 'model.tflite'))
  if (digestOf(bytes) !== variant) throw new Error(`the booted file is not ${variant}`)
  return variant
}

/** Runs the agent until it is idle on its own, or until the armed place kills it. */
async function runUntilKilled(driver: PlannerDriver, stateDir: string, point: string) {
  const agent = spawnAgent(driver, stateDir, { FITMENT_FAIL_POINT: point })
  return await agent.ended
}

async function runUntil(
  driver: PlannerDriver,
  stateDir: string,
  order: string,
  state: string,
): Promise<void> {
  const agent = spawnAgent(driver, stateDir)
  await driver.report('install', (report) => report.order === order && report.state === state)
  agent.child.kill('SIGTERM')
  const { code, stderr } = await agent.ended
  if (code !== 0) throw new Error(`the agent ended with ${code}: ${stderr}`)
}

async function deviceWithVariant(t: Test) {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const selfTest = driver.offer(await goldenData())
  const old = variantOf()
  const assign = (draft: AssignmentDraft) => {
    const order = assignOrder({ selfTest, ...draft })
    driver.orders.splice(0, driver.orders.length, order)
    return order
  }
  const first = assign({ artifact: driver.offer(old), counter: 1 })
  await runUntil(driver, stateDir, first.id, 'active')
  return { driver, stateDir, old: digestOf(old), assign }
}

t.test(
  'killed at every write of an installation, one after another: old or new, and at last new',
  async (t) => {
    const { driver, stateDir, old, assign } = await deviceWithVariant(t)
    const bytes = variantOf(400_000)
    const order = assign({ artifact: driver.offer(bytes), counter: 2 })
    const sentBefore = driver.blocksSent
    const steps = [
      'accepted',
      'downloading',
      'verifying',
      'installing',
      'waiting',
      'switching',
      'testing',
    ]
    const points = pointsOf(steps).flatMap((point) => [point, ...(BETWEEN[point] ?? [])])
    for (const point of [...points, 'install.active.torn']) {
      const { signal } = await runUntilKilled(driver, stateDir, point)
      t.equal(signal, 'SIGKILL', `killed at ${point}`)
      const booted = bootedVariant(stateDir)
      t.ok(booted === old || booted === digestOf(bytes), `boots a variant after ${point}`)
    }
    await runUntil(driver, stateDir, order.id, 'active')
    t.equal(bootedVariant(stateDir), digestOf(bytes))
    t.ok(driver.blocksSent - sentBefore <= 8 + 16, 'what was downloaded is not downloaded again')
  },
)

t.test('killed at every write of the way back: old at last', async (t) => {
  const { driver, stateDir, old, assign } = await deviceWithVariant(t)
  const selfTest = driver.offer(await goldenData(true))
  const order = assign({ artifact: driver.offer(variantOf()), counter: 2, selfTest })
  for (const point of [...pointsOf(['rolling-back']), 'install.rolled-back.torn']) {
    const { signal } = await runUntilKilled(driver, stateDir, point)
    t.equal(signal, 'SIGKILL', `killed at ${point}`)
    bootedVariant(stateDir)
  }
  await runUntil(driver, stateDir, order.id, 'rolled-back')
  t.equal(bootedVariant(stateDir), old)
})

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
