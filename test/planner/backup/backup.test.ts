import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { DeviceTrust } from '../../../agent/trust/index.ts'
import { backup, restore, takeUpRestored } from '../../../planner/backup/index.ts'
import { openPlannerIdentity } from '../../../planner/identity/index.ts'
import { openDatabase } from '../../../planner/storage/index.ts'
import { openTrust } from '../../../planner/trust/index.ts'
import type { OrderOf } from '../../../shared/messages/index.ts'
import { anchorDigest } from '../../../shared/trust/index.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { openPlanner, type Planner, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const PASSPHRASE = 'correct horse battery staple'
const log = pino({ level: 'silent' })

/** A device that remembers, across planners. */
async function deviceOf(dir: string, p: Planner) {
  const anchor = anchorDigest(await p.conductor.context.trust.anchor())
  const clock = { now: () => p.clock.now, monotonic: () => 0 }
  const runtimes = ['litert', 'onnxruntime'] as const
  const trust = await DeviceTrust.open({
    ...{ dir: join(dir, 'device'), device: 'd0', class: null, runtimes, anchor, clock },
    architecture: 'arm64',
  })
  return async (order: OrderOf<'assign'>) => {
    const { assignments } = await trust.verifyOffer(order.offer)
    for (const assignment of assignments) await trust.installed(assignment)
    return assignments.map(({ variant, releaseCounter }) => ({ variant, releaseCounter }))
  }
}

async function ordered(device: ScriptedDevice): Promise<OrderOf<'assign'>> {
  const [order] = await device.take('assign')
  if (!order) throw new Error('nothing was ordered')
  return order
}

function later(p: Planner): void {
  p.clock.now = new Date(p.clock.now.getTime() + 3_600_000)
}

t.test('devices that saw more than the backup knows still believe', async (t) => {
  const dir = t.testdir()
  const data = join(dir, 'fleet')
  const p = await openPlanner(data)
  t.teardown(() => p.close().catch(() => {}))
  const { context } = p.conductor
  const identity = await openPlannerIdentity({
    ...{ data, db: context.db, fleet: 'default', names: [], days: 30, now: () => new Date(), log },
  })
  identity.close()
  const believe = await deviceOf(dir, p)
  const device = await new ScriptedDevice('d0', p).join()
  await chosenModel(context, CLASS, { waves: [{ share: 1 }] }, 'a')
  await settle(p)
  const first = await ordered(device)
  await believe(first)
  await device.install(first, 'active')

  const file = join(dir, 'backup.tar')
  const made = await backup({ data, file, passphrase: PASSPHRASE, now: p.clock.now })
  t.ok(made.artifacts > 0)
  t.equal(statSync(`${file}.keys`).mode & 0o777, 0o600)
  const listed = execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).split('\n')
  t.ok(listed.includes('fitment.db'), 'tar reads it')
  const unpacked = join(dir, 'unpacked')
  mkdirSync(unpacked)
  execFileSync('tar', ['-xf', file], { cwd: unpacked })
  execFileSync('sha256sum', ['--check', '--strict', '--status', 'SHA256SUMS'], { cwd: unpacked })
  t.notOk(
    listed.some((name) => name.endsWith('.key')),
    'without private keys',
  )
  t.notOk(readFileSync(file).includes('PRIVATE KEY'))
  t.notOk(readFileSync(`${file}.keys`).includes('PRIVATE KEY'))

  for (const revision of ['b', 'c', 'd']) {
    later(p)
    await chosenModel(context, CLASS, { waves: [{ share: 1 }] }, revision)
    await settle(p)
    const order = await ordered(device)
    const [seen] = await believe(order)
    t.ok(seen)
    await device.install(order, 'active')
  }
  await p.close()

  const back = join(dir, 'back')
  later(p)
  const restoredAt = p.clock.now
  await restore({ file, data: back, passphrase: PASSPHRASE, now: restoredAt })
  later(p)
  const clock = { now: p.clock.now }
  const database = await openDatabase({ data: back })
  const trust = await openTrust({ dir: join(back, 'trust'), now: () => clock.now })
  await takeUpRestored(back, database.db, trust, log)
  t.notOk(readdirSync(back).includes('restored.json'))
  await takeUpRestored(back, database.db, trust, log)
  await database.close()

  const q = await openPlanner(back, {}, clock)
  t.teardown(q.close)
  t.equal(q.trust, p.trust, 'the same anchor')
  p.clock.now = clock.now
  const same = await new ScriptedDevice('d0', q).join()
  await chosenModel(q.conductor.context, CLASS, { waves: [{ share: 1 }] }, 'e')
  await settle(q)
  const [seen] = await believe(await ordered(same))
  t.ok((seen?.releaseCounter ?? 0) > restoredAt.getTime() / 1000 - 1, 'counted on from the clock')
})

t.test('a backup of before, which has no digests, comes back', async (t) => {
  const dir = t.testdir({ unpacked: {} })
  const data = join(dir, 'fleet')
  const p = await openPlanner(data)
  t.teardown(() => p.close().catch(() => {}))
  await p.conductor.context.artifacts.put(Buffer.from('an artifact'))
  const file = join(dir, 'backup.tar')
  const request = { file, passphrase: PASSPHRASE, now: new Date() }
  await backup({ data, ...request })
  await p.close()

  const cwd = join(dir, 'unpacked')
  execFileSync('tar', ['-xf', file], { cwd })
  rmSync(join(cwd, 'SHA256SUMS'))
  const again = () => {
    rmSync(file)
    const names = execFileSync('find', ['.', '-type', 'f', '-printf', '%P\\n'], { cwd })
    execFileSync('tar', ['-cf', file, '--no-recursion', '-T', '-'], { cwd, input: names })
  }
  again()
  await t.rejects(
    restore({ data: join(dir, 'a'), ...request }),
    { code: 'damaged' },
    'it lacks them',
  )
  const { sums, ...before } = JSON.parse(readFileSync(join(cwd, 'backup.json'), 'utf8'))
  t.equal(sums, 'SHA256SUMS')
  writeFileSync(join(cwd, 'backup.json'), JSON.stringify(before))
  again()
  await restore({ data: join(dir, 'b'), ...request })
  t.ok(statSync(join(dir, 'b', 'fitment.db')).size > 0)
})

t.test('what is no backup, or no longer one, restores nothing', async (t) => {
  const dir = t.testdir()
  const data = join(dir, 'fleet')
  const p = await openPlanner(data)
  t.teardown(() => p.close().catch(() => {}))
  await p.conductor.context.artifacts.put(Buffer.from('an artifact'))
  const file = join(dir, 'backup.tar')
  await backup({ data, file, passphrase: PASSPHRASE, now: new Date() })
  await p.close()
  const into = (name: string, passphrase = PASSPHRASE) =>
    restore({ file, data: join(dir, name), passphrase, now: new Date() })
  await t.rejects(into('a', 'another'), { code: 'cannot-unseal' })
  await t.rejects(into('fleet'), { code: 'not-empty', message: /move it away/ })
  const nowhere = join(dir, 'nowhere', 'backup.tar')
  await t.rejects(backup({ data, file: nowhere, passphrase: PASSPHRASE, now: new Date() }), {
    code: 'cannot-write',
    message: /^cannot write into the folder .*nowhere: there is no such file/,
  })
  await t.rejects(
    restore({ file: dir, data: `${dir}-a`, passphrase: PASSPHRASE, now: new Date() }),
    {
      code: 'nothing-there',
      message: /is no file: name one that fitment backup wrote/,
    },
  )
  const whole = readFileSync(file)
  const spoiled = Buffer.from(whole)
  spoiled.write('AN', whole.indexOf('an artifact'))
  writeFileSync(file, spoiled)
  await t.rejects(into('b'), { code: 'damaged', message: /artifacts\/.* in it is damaged/ })
  const row = Buffer.from(whole)
  row.write('another', whole.indexOf('CREATE TABLE') + 2048)
  writeFileSync(file, row)
  await t.rejects(into('b'), { code: 'damaged', message: /^fitment.db in it is damaged/ })
  for (const length of [0, 100, 512, whole.length >> 1]) {
    writeFileSync(file, whole)
    truncateSync(file, length)
    await t.rejects(into('c'), { code: 'damaged' }, `${length} bytes of it`)
  }
  writeFileSync(file, 'no backup at all')
  await t.rejects(into('d'), { code: 'damaged' })
  t.same(
    readdirSync(dir).filter((name) => /^\.|^[abcd]$/.test(name)),
    [],
    'nothing is left of what failed',
  )
  await t.rejects(
    backup({
      data: join(dir, 'nowhere'),
      file: join(dir, 'x'),
      passphrase: undefined,
      now: new Date(),
    }),
    { code: 'nothing-there' },
  )
})
