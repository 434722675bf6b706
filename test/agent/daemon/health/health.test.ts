import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  type Health,
  healthSocketPath,
  readCurrent,
  sayHealth,
} from '../../../../agent/client/index.ts'
import { type AgentOptions, UNWATCHED } from '../../../../agent/daemon/index.ts'
import { runSelfTest } from '../../../../agent/daemon/install/self-test.ts'
import { createModelRunner } from '../../../../agent/daemon/model-runner.ts'
import { digestOf } from '../../../../shared/digest.ts'
import { agentOf, driverOf, stateDirOf } from '../../device.ts'
import { variantOf } from '../../golden.ts'
import { assignOrder } from '../../orders.ts'
import { probeOrder } from '../../probe-orders.ts'

/** A device that runs a variant, and is given another one under these circumstances. */
async function second(t: Test, options: Partial<AgentOptions>, atSwitch = async (_: string) => {}) {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const first = await agentOf(t, stateDir, driver)
  const old = variantOf()
  await driver.until(() => driver.births[0])
  await driver.send('d1', assignOrder({ artifact: driver.offer(old), counter: 1 }))
  await driver.report('install', ({ state }) => state === 'active')
  await first.close()
  const births = driver.births.length
  await agentOf(t, stateDir, driver, options)
  await driver.until(() => driver.births[births])
  const artifact = driver.offer(variantOf())
  const order = assignOrder({ artifact, counter: 2 })
  await driver.send('d1', order)
  await driver.report('install', (r) => r.order === order.id && r.state === 'installed')
  await atSwitch(stateDir)
  const end = await driver.report(
    'install',
    (r) => r.order === order.id && ['active', 'rolled-back'].includes(r.state),
  )
  const current = readlinkSync(join(stateDir, 'slots', 'motor', 'current'))
  return { driver, end, artifact, current, old: digestOf(old) }
}

/** A hook as an operator writes it. */
function hook(t: Test, script: string): string {
  const path = join(t.testdir(), 'is-healthy')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

t.test('the application’s hook decides, and its words are the reason', async (t) => {
  const said = 'test "$1" = motor && test -f "$3" && echo "camera sees nothing" && exit 3'
  const health = { ...UNWATCHED, command: hook(t, said) }
  const { end, current, old, driver } = await second(t, { health })
  t.match(end, {
    state: 'rolled-back',
    error: { code: 'unhealthy', message: /exit code 3: camera sees nothing/ },
  })
  t.equal(current, old)
  const detail = /camera sees nothing/
  t.match(await driver.report('health', () => true), { variant: old, healthy: true, detail })
})

t.test(
  'a hook is judged when it exits, whatever it leaves behind with its output open',
  async (t) => {
    const command = hook(t, 'sleep 3600 & echo fine')
    // Whoever waits for the end of that output waits longer than this file may take.
    const { end } = await second(t, { health: { ...UNWATCHED, command, answerMs: 3_600_000 } })
    t.match(end, { state: 'active' })
  },
)

t.test('a hook that hangs is killed with all it started', async (t) => {
  const pids = join(t.testdir(), 'pids')
  const command = hook(
    t,
    `sh -c 'sleep 3600 & echo $! >> ${pids}; wait' & echo $! >> ${pids}; wait`,
  )
  const { end } = await second(t, { health: { ...UNWATCHED, command, answerMs: 1_000 } })
  t.match(end, { state: 'rolled-back', error: { code: 'health-timeout' } })
  const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
  t.equal(started.length, 2)
  for (const pid of started) await gone(pid)
})

/** Who was killed dies when the system comes to it, on a busy one a moment later; this file's time is the limit. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20)
}

/** A zombie is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

t.test('a hook that says nothing in time', async (t) => {
  const health = { ...UNWATCHED, command: hook(t, 'sleep 600'), answerMs: 200 }
  const { end, current, old } = await second(t, { health })
  t.match(end, { state: 'rolled-back', error: { code: 'health-timeout' } })
  t.equal(current, old)
})

t.test('a hook that is content is asked once more after the watch', async (t) => {
  const count = join(stateDirOf(t), 'asked')
  const command = hook(t, `echo x >> ${count}; test $(wc -l < ${count}) -le 2`)
  const { end, current, artifact } = await second(t, {
    health: { ...UNWATCHED, command, watchMs: 300 },
  })
  t.equal(end.state, 'active')
  t.equal(current, artifact.digest)
})

/** Says it until the agent that watches this variant has heard it, as an application does. */
async function sayUntilWatched(stateDir: string, health: Health): Promise<void> {
  for (;;) {
    const current = await readCurrent(stateDir, 'motor')
    // What is said of another variant counts for nothing.
    await sayHealth(stateDir, 'motor', digestOf('another'), { healthy: !health.healthy })
    if (current && (await sayHealth(stateDir, 'motor', current.slot.variant, health))) return
    await new Promise((r) => setTimeout(r, 20))
  }
}

t.test('an application says on the socket that it is unhealthy, and why', async (t) => {
  const detail = 'camera sees\nnothing'
  const { end, current, old } = await second(
    t,
    { health: { ...UNWATCHED, watchMs: 60_000 } },
    (stateDir) => sayUntilWatched(stateDir, { healthy: false, detail }),
  )
  t.match(end, {
    state: 'rolled-back',
    error: { code: 'unhealthy', message: /said so: camera sees nothing/ },
  })
  t.equal(current, old)
})

t.test('an application must say that it is healthy, and says it', async (t) => {
  const { end, current, artifact } = await second(
    t,
    { health: { ...UNWATCHED, word: true, answerMs: 60_000 } },
    async (stateDir) => {
      await sayUntilWatched(stateDir, { healthy: true })
      await t.rejects(sayHealth(stateDir, 'motor', 'newest', { healthy: true }), /say "healthy/)
      t.equal(statSync(healthSocketPath(stateDir)).mode & 0o777, 0o660, 'not for everybody')
    },
  )
  t.equal(end.state, 'active')
  t.equal(current, artifact.digest)
})

t.test('an application must say that it is healthy, and nobody does', async (t) => {
  const health = { ...UNWATCHED, word: true, answerMs: 200 }
  const { end, current, old } = await second(t, { health })
  t.match(end, { state: 'rolled-back', error: { code: 'health-timeout', message: /motor/ } })
  t.equal(current, old)
})

t.test('applications that die with the model in use take it back', async (t) => {
  const client = new URL('../../../../agent/client/index.js', import.meta.url).href
  const { end, current, old } = await second(
    t,
    { health: { ...UNWATCHED, watchMs: 60_000 } },
    async (stateDir) => {
      const script = `
        import { ModelLocks } from ${JSON.stringify(client)}
        await new ModelLocks(${JSON.stringify(stateDir)}, 'motor').hold()
        process.kill(process.pid, 'SIGKILL')
      `
      const directory = join(stateDir, 'slots', 'motor', 'current')
      const before = readlinkSync(directory)
      while (readlinkSync(directory) === before) await new Promise((r) => setTimeout(r, 20))
      for (let death = 0; death < 6; death += 1) {
        const application = spawn(process.execPath, ['--input-type=module', '-e', script])
        await once(application, 'exit')
      }
    },
  )
  t.match(end, { state: 'rolled-back', error: { code: 'applications-crash', message: /motor/ } })
  t.equal(current, old)
})

t.test(
  'a model that hangs the runtime is not tried again, until a probe of it succeeds',
  async (t) => {
    const real = createModelRunner({ memoryLimitBytes: null, threads: null, root: '/' })
    const never = new AbortController().signal
    // The limit is what makes it hang: to be loaded takes longer than a millisecond.
    const modelRunner = {
      ...real,
      selfTest: (job: Parameters<typeof runSelfTest>[0]) => runSelfTest(job, never, 1),
    }
    const { driver, end, artifact, current, old } = await second(t, { modelRunner })
    t.match(end, { state: 'rolled-back', error: { code: 'self-test-timeout' } })
    t.equal(current, old)

    const again = assignOrder({ artifact, counter: 3 })
    await driver.send('d1', again)
    const refused = await driver.report('install', (r) => r.order === again.id)
    t.match(refused, { state: 'refused', error: { code: 'quarantined', message: /given up here/ } })

    const probe = await probeOrder(driver, variantOf(), { variant: artifact.digest, artifact })
    await driver.send('d1', probe)
    t.match(await driver.report('probe', () => true), { result: { outcome: 'measured' } })
    const then = assignOrder({ artifact, counter: 4 })
    await driver.send('d1', then)
    await driver.report('install', (r) => r.order === then.id && r.state === 'accepted')
  },
)
