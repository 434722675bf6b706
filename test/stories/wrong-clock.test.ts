/** A planner whose clock starts in 1970, and one whose clock was days ahead. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectPlanner } from '../../planner/api/index.ts'
import { lacksCompiler, preloadOf } from '../native/preload.ts'
import { FITMENT } from './command-line.ts'
import { until } from './running.ts'

const skip = lacksCompiler()
const DAY_S = 86_400

function serve(t: Test, data: string, offsetS: number) {
  const tools = t.testdir({ wrong: String(offsetS) })
  const clock = join(tools, 'wrong')
  const flags = ['--insecure-loopback', '--port', '0', '--data', data]
  const child = spawn(process.execPath, [FITMENT, 'serve', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, WRONG_CLOCK: clock, LD_PRELOAD: preloadOf('wrong-clock', tools) },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said = { err: '' }
  child.stderr.on('data', (chunk) => {
    said.err += chunk
  })
  return { child, said, setClock: (seconds: number) => writeFileSync(clock, String(seconds)) }
}

t.test('1970: refused before anything is signed', { skip }, async (t) => {
  await t.test('first start', async (t) => {
    const data = join(t.testdir(), 'fleet')
    const { child, said } = serve(t, data, -Math.round(Date.now() / 1000))
    const [code] = await once(child, 'close')
    t.equal(code, 1)
    t.match(
      said.err,
      /^error \[clock-implausible\]: the clock of this machine says 1970-01-01, .*: set the clock \(timedatectl set-ntp true, or date -s\), then start again\n$/,
    )
    t.throws(() => readdirSync(data), { code: 'ENOENT' }, 'nothing was written')
  })
})

t.test('days ahead, then right: it says what became of its devices', { skip }, async (t) => {
  const data = join(t.testdir(), 'fleet')
  const { child, said, setClock } = serve(t, data, 10 * DAY_S)
  const planner = connectPlanner(data)
  const info = () => planner.call('planner.info', {})
  await until('the planner', info)
  t.equal((await info()).clock, undefined)
  setClock(0)
  const { clock } = await until('the jump', async () => {
    const told = await info()
    return told.clock === undefined ? undefined : told
  })
  t.match(clock, /until fitment keys rotate director is run; if not, set the clock/)
  t.match(said.err, /until fitment keys rotate director is run/, 'and in the log')
  t.match(
    await planner.call('keys.rotate', { holder: 'director', add: [], remove: [], threshold: null }),
    [{ state: 'published' }],
  )
  t.equal((await info()).clock, undefined, 'which was run')
  child.kill('SIGTERM')
  await once(child, 'close')

  await t.test('set while it was off', async (t) => {
    const ahead = serve(t, data, 3 * DAY_S)
    await until('the planner', info)
    ahead.child.kill('SIGTERM')
    await once(ahead.child, 'close')
    const right = serve(t, data, 0)
    t.match((await until('the planner', info)).clock, /keys rotate director/)
    right.child.kill('SIGTERM')
    await once(right.child, 'close')
  })
})
