import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MAIN, spawnAgent } from '../agent-process.ts'
import { driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'

async function run(...argv: string[]) {
  const child = spawn(process.execPath, [MAIN, ...argv], { env: { PATH: process.env.PATH } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

t.test('help has an example and succeeds; a wrong command line is 2', async (t) => {
  for (const command of ['run', 'status']) {
    const { code, stdout } = await run(command, '--help')
    t.equal(code, 0)
    t.match(stdout, new RegExp(`Example:\\n {2}\\$ node \\S+/cli/main.js ${command}`))
  }
  t.match(await run('run'), { code: 2, stderr: /^error \[usage\]: --broker.*\n$/ })
  t.match(await run('dance'), { code: 2 })
  t.match(await run('status', '--state-dir', '/nowhere'), { code: 2, stderr: /\/nowhere/ })
})

t.test('one device from start to stop, as an operator sees it', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = spawnAgent(driver, stateDir)
  t.teardown(() => agent.child.kill('SIGKILL'))
  await driver.until(() => driver.births[0])

  const second = await spawnAgent(driver, stateDir).ended
  t.match(second, { code: 1, stderr: /^error \[already-running\]: another agent runs on .*\n$/ })

  const artifact = driver.offer(variantOf())
  await driver.send('d1', assignOrder({ artifact }))
  await driver.report('install', ({ state }) => state === 'active')
  const live = await run('status', '--state-dir', stateDir, '--json')
  t.equal(live.code, 0)
  t.match(JSON.parse(live.stdout), {
    running: true,
    session: { device: 'd1', connected: true },
    models: [{ model: 'motor', current: artifact.digest, installation: { step: 'active' } }],
  })

  agent.child.kill('SIGSTOP')
  const frozen = await run('status', '--state-dir', stateDir)
  t.match(frozen, {
    code: 1,
    stdout: '',
    stderr: /^error \[agent-silent\]: .* does not answer: .*\n$/,
  })
  agent.child.kill('SIGCONT')

  agent.child.kill('SIGTERM')
  const { code, stderr } = await agent.ended
  t.equal(code, 0)
  t.match(JSON.parse(stderr.trim().split('\n').at(-1) as string), { signal: 'SIGTERM' })
  t.equal((await driver.until(() => driver.deaths[0])).epoch.connection, 1)

  const left = await run('status', '--state-dir', stateDir)
  t.equal(left.code, 0)
  t.match(left.stdout, /no agent runs[\s\S]*motor: [0-9a-f]{12}, last installation: active/)
})

t.test('a state directory that cannot be used is one line', async (t) => {
  const driver = await driverOf(t)
  const directory = stateDirOf(t)
  writeFileSync(join(directory, 'file'), '')
  const inFile = await spawnAgent(driver, join(directory, 'file', 'state')).ended
  t.match(inFile, { code: 1, stderr: /^error \[state-dir-unusable\].*\n$/ })
  if (process.getuid?.() === 0) {
    t.comment('read-only directory not tried: root may write everywhere')
    return
  }
  const locked = join(directory, 'locked')
  mkdirSync(locked)
  chmodSync(locked, 0o500)
  t.match(await spawnAgent(driver, locked).ended, { code: 1, stderr: /^error \[journal-failed\]/ })
})

t.test('without TLS no word leaves this machine', async (t) => {
  const stateDir = t.testdir({})
  const { code, stderr } = await spawnAgent({ url: 'mqtt://planner.example' }, stateDir).ended
  t.equal(code, 2)
  t.match(
    stderr,
    /mqtt:\/\/planner\.example has no TLS, and leaves this machine: join with a token/,
  )
})
