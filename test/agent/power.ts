import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { digestOf } from '../../shared/digest.ts'
import { spawnAgent } from './agent-process.ts'
import { driverOf, stateDirOf } from './device.ts'
import { goldenData, variantOf } from './golden.ts'
import { type AssignmentDraft, assignOrder } from './orders.ts'
import type { PlannerDriver } from './planner-driver.ts'

/** The variant a device boots; its bytes must be right, whatever happened. */
export function bootedVariant(stateDir: string): string | undefined {
  const slots = join(stateDir, 'slots', 'motor')
  const link = join(slots, 'current')
  if (!existsSync(slots)) return undefined
  const variant = readlinkSync(link)
  const bytes = readFileSync(join(link, 'model.tflite'))
  if (digestOf(bytes) !== variant) throw new Error(`the booted file is not ${variant}`)
  return variant
}

/** Runs the agent until it is idle on its own, or until the armed place kills it. */
export async function runUntilKilled(driver: PlannerDriver, stateDir: string, point: string) {
  const agent = spawnAgent(driver, stateDir, { FITMENT_FAIL_POINT: point })
  return await agent.ended
}

export async function runUntil(
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

export async function deviceWithVariant(t: Test) {
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
