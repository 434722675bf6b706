import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ModelLocks } from '../../../agent/client/index.ts'

const never = new AbortController().signal

function setUp(t: Test) {
  const stateDir = t.testdir()
  const directory = join(stateDir, 'locks', 'motor')
  mkdirSync(directory, { recursive: true })
  return { locks: new ModelLocks(stateDir, 'motor'), directory }
}

t.test('while an application holds a lock the link is not moved', async (t) => {
  const { locks } = setUp(t)
  const lock = await locks.hold()
  const order: string[] = []
  const moved = locks.exclusively(never, async () => order.push('moved'))
  t.equal((await locks.holders()).length, 1)
  order.push('released')
  await lock.release()
  await moved
  t.same(order, ['released', 'moved'])
})

t.test('while the link is being moved an application waits', async (t) => {
  const { locks, directory } = setUp(t)
  const order: string[] = []
  let waiting: Promise<unknown> = Promise.resolve()
  await locks.exclusively(never, async () => {
    waiting = locks.hold().then(() => order.push('held'))
    await new Promise((resolve) => setTimeout(resolve, 60))
    order.push('moved')
  })
  await waiting
  t.same(order, ['moved', 'held'])
  t.notOk(readdirSync(directory).includes('agent'))
})

t.test('a lock of a process that is gone is stale, with or without its start time', async (t) => {
  const { locks, directory } = setUp(t)
  const child = spawn('sleep', ['60'])
  writeFileSync(join(directory, 'app'), `${child.pid}\n`)
  t.same(await locks.holders(), ['app'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.same(await locks.holders(), [])
  t.notOk(existsSync(join(directory, 'app')))
  writeFileSync(join(directory, 'reborn'), `${process.pid} 1\n`)
  t.same(await locks.holders(), [], 'the number is in use again, by a process that started later')
})

t.test('a lock without a process in it holds for a moment only', async (t) => {
  const { locks, directory } = setUp(t)
  const path = join(directory, 'half-written')
  writeFileSync(path, '')
  t.same(await locks.holders(), ['half-written'])
  utimesSync(path, new Date(0), new Date(0))
  t.same(await locks.holders(), [])
})

t.test('waiting ends when the agent leaves', async (t) => {
  const { locks } = setUp(t)
  await locks.hold()
  await t.rejects(locks.whenFree(AbortSignal.timeout(20)))
})

t.test('a lock of another boot holds nobody up', async (t) => {
  const { locks, directory } = setUp(t)
  const lock = await locks.hold()
  const [name = ''] = await locks.holders()
  const path = join(directory, name)
  const [pid, ticks, boot] = readFileSync(path, 'utf8').trim().split(' ')
  t.match(boot, /^[0-9a-f-]{36}$/)
  writeFileSync(path, `${pid} ${ticks} 00000000-0000-4000-8000-000000000000\n`)
  t.same(await locks.holders(), [], 'the same number and start, of another run of the kernel')
  const bare = join(directory, 'shell')
  writeFileSync(bare, `${process.pid}\n`)
  const old = Date.now() / 1000 - uptime() - 3600
  utimesSync(bare, old, old)
  t.same(await locks.holders(), [], 'written before the boot')
  writeFileSync(bare, `${process.pid}\n`)
  utimesSync(bare, 3600, 3600)
  t.same(await locks.holders(), ['shell'], 'written when the clock was not set')
  await lock.release()
})

t.test('who waits is told for whom', async (t) => {
  const { locks } = setUp(t)
  const lock = await locks.hold()
  const told: (readonly string[])[] = []
  const free = locks.whenFree(never, (holders) => told.push(holders))
  await new Promise((resolve) => setTimeout(resolve, 500))
  await lock.release()
  await free
  t.equal(told.length, 1, 'once')
  t.match(told, [[new RegExp(`^${process.pid}-`)]])
})
