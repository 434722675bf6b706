/** What a device runs after its disk was spoiled while it was off. */
import { cpSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { digestOf } from '../../../shared/digest.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'

interface Spoiled {
  readonly name: string
  spoil(slots: string, ran: { readonly old: string; readonly present: string }): void
  /** Which of the two runs after the next start, and what the fleet hears of it. */
  readonly runs: 'old' | 'present' | 'none'
  readonly healthy?: boolean
}

const loseAll = (slots: string) => {
  for (const name of readdirSync(slots)) {
    if (name.length >= 64) rmSync(join(slots, name), { recursive: true })
  }
}
const rust = (slots: string, variant: string) =>
  writeFileSync(join(slots, variant, 'model.tflite'), 'rust')

/** As `cp -rL` leaves it. */
const becomeFolder = (link: string) => {
  const from = realpathSync(link)
  rmSync(link)
  cpSync(from, link, { recursive: true })
}

/** Of a device that runs the newer of two variants. */
const FORWARD: readonly Spoiled[] = [
  {
    name: 'a spoiled current variant falls back to the previous one',
    spoil: (slots, { present }) => rust(slots, present),
    runs: 'old',
    healthy: true,
  },
  {
    name: 'a lost link falls back to the previous one',
    spoil: (slots) => rmSync(join(slots, 'current')),
    runs: 'old',
    healthy: true,
  },
  {
    name: 'with every variant lost there is no link',
    spoil: loseAll,
    runs: 'none',
    healthy: false,
  },
  {
    name: 'links that a copy turned into folders are links again',
    spoil: (slots) => ['current', 'previous'].map((name) => becomeFolder(join(slots, name))),
    runs: 'present',
  },
  {
    name: 'a variant that is left in such a folder only goes back to its slot',
    spoil: (slots, { present }) => {
      becomeFolder(join(slots, 'current'))
      rmSync(join(slots, present), { recursive: true })
      writeFileSync(join(slots, '../../journal'), Buffer.alloc(4096))
    },
    runs: 'present',
  },
  {
    name: 'a spoiled folder in the place of the link falls back to the previous variant',
    spoil: (slots, { present }) => {
      becomeFolder(join(slots, 'current'))
      rust(slots, 'current')
      rust(slots, present)
    },
    runs: 'old',
    healthy: true,
  },
  {
    name: 'links that a copy turned into files are links again',
    spoil: (slots) => {
      const target = readlinkSync(join(slots, 'current'))
      rmSync(join(slots, 'current'))
      writeFileSync(join(slots, 'current'), `${target}\n`)
    },
    runs: 'present',
  },
  {
    name: 'a lost journal loses no variant',
    spoil: (slots) => writeFileSync(join(slots, '../../journal'), Buffer.alloc(4096)),
    runs: 'present',
  },
]

/** Of a device that was told to go back to the older: what it left is no way out any more. */
const RETURNED: readonly Spoiled[] = [
  {
    name: 'a spoiled variant that was gone back to is mended from its spare copy',
    spoil: (slots, { old }) => rust(slots, old),
    runs: 'old',
    healthy: true,
  },
  {
    name: 'a slot that is gone altogether is mended, too',
    spoil: (slots, { old }) => rmSync(join(slots, old), { recursive: true }),
    runs: 'old',
    healthy: true,
  },
  {
    name: 'a lost link is found again',
    spoil: (slots) => rmSync(join(slots, 'current')),
    runs: 'old',
    healthy: true,
  },
  {
    name: 'with its spare copy lost as well nothing runs',
    spoil: loseAll,
    runs: 'none',
    healthy: false,
  },
  {
    name: 'a lost journal makes no difference',
    spoil: (slots, { old }) => {
      rust(slots, old)
      writeFileSync(join(slots, '../../journal'), Buffer.alloc(4096))
    },
    runs: 'old',
    healthy: true,
  },
]

t.test('a device that went forward', async (t) => {
  const { driver, stateDir, old, present } = await deviceThatRan(t, ['old', 'present'])
  await eachSpoiled(t, FORWARD, { driver, stateDir, old, present })
})

t.test('a device that was told to go back', async (t) => {
  const { driver, stateDir, old, present } = await deviceThatRan(t, ['old', 'present', 'old'])
  t.notOk(readdirSync(join(stateDir, 'slots', 'motor')).includes('previous'))
  await eachSpoiled(t, RETURNED, { driver, stateDir, old, present })
})

interface Ran {
  readonly driver: PlannerDriver
  readonly stateDir: string
  readonly old: string
  readonly present: string
}

async function deviceThatRan(t: Test, order: readonly ('old' | 'present')[]): Promise<Ran> {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const variants = { old: variantOf(), present: variantOf() }
  for (const [index, which] of order.entries()) {
    const artifact = driver.offer(variants[which])
    const assignment = assignOrder({ artifact, counter: index + 1 })
    await driver.send('d1', assignment)
    const isDone = (report: { order: string; state: string }) =>
      report.order === assignment.id && report.state === 'active'
    await driver.report('install', isDone)
  }
  await agent.close()
  const { old, present } = variants
  return { driver, stateDir, old: digestOf(old), present: digestOf(present) }
}

async function eachSpoiled(t: Test, cases: readonly Spoiled[], ran: Ran): Promise<void> {
  const { driver, stateDir } = ran
  for (const { name, spoil, runs, healthy } of cases) {
    await t.test(name, async (t) => {
      const copy = stateDirOf(t)
      cpSync(stateDir, copy, { recursive: true, verbatimSymlinks: true })
      const slots = join(copy, 'slots', 'motor')
      spoil(slots, ran)
      driver.reports.length = 0
      await agentOf(t, copy, driver)
      const expected = runs === 'none' ? undefined : ran[runs]
      const names = readdirSync(slots)
      t.equal(
        names.includes('current') ? readlinkSync(join(slots, 'current')) : undefined,
        expected,
      )
      if (healthy === undefined) return
      t.match(await driver.report('health', () => true), { variant: expected ?? null, healthy })
    })
  }
}
