/** State directories that are not one file system, or one that lacks what ours have. */
import { mkdtempSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readCurrent } from '../../../agent/client/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { lacksCompiler, preloadOf } from '../../native/preload.ts'
import { spawnAgent } from '../agent-process.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'

const skip = lacksCompiler()

/** A library that takes links away from the process it is loaded into. */
function without(t: Test, ...flags: string[]): string {
  return preloadOf('no-links', stateDirOf(t), ...flags)
}

async function install(driver: PlannerDriver): Promise<string> {
  const variant = variantOf()
  const assignment = assignOrder({ artifact: driver.offer(variant), counter: 1 })
  await driver.send('d1', assignment)
  const report = await driver.report(
    'install',
    ({ state }) => state === 'active' || state === 'failed' || state === 'refused',
  )
  if (report.state !== 'active') throw new Error(JSON.stringify(report))
  return digestOf(variant)
}

const OTHER = '/dev/shm'
const isOther = () => {
  try {
    return statSync(OTHER).dev !== statSync(tmpdir()).dev
  } catch {
    return false
  }
}

for (const name of ['artifacts', 'slots']) {
  const skip = isOther() ? false : `${OTHER} is no other file system here`
  t.test(`${name}/ on another file system: what was downloaded is copied`, { skip }, async (t) => {
    const driver = await driverOf(t)
    const stateDir = stateDirOf(t)
    const other = mkdtempSync(join(OTHER, 'fit-'))
    t.teardown(() => rmSync(other, { recursive: true, force: true }))
    symlinkSync(other, join(stateDir, name))
    await agentOf(t, stateDir, driver)
    await driver.until(() => driver.births[0])
    const variant = await install(driver)
    t.equal(readlinkSync(join(stateDir, 'slots', 'motor', 'current')), variant)
    t.equal((await readCurrent(stateDir, 'motor'))?.slot.variant, variant)
  })
}

t.test('without hard links what was downloaded is copied', { skip }, async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = spawnAgent(driver, stateDir, { LD_PRELOAD: without(t) })
  t.teardown(() => agent.child.kill('SIGKILL'))
  await driver.until(() => driver.births[0])
  const variant = await install(driver)
  t.equal(readlinkSync(join(stateDir, 'slots', 'motor', 'current')), variant)
})

t.test('without symbolic links it says so, before anything is fetched', { skip }, async (t) => {
  const driver = await driverOf(t)
  const agent = spawnAgent(driver, stateDirOf(t), { LD_PRELOAD: without(t, '-DNO_SYMLINKS') })
  const { code, stderr } = await agent.ended
  t.equal(code, 1)
  t.match(stderr, /^error \[no-symlinks\]: .*--state-dir on another, such as ext4\n$/)
  t.equal(driver.births.length, 0)
})
