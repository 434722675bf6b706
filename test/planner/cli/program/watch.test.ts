/** `--watch` in processes of its own: signals, readers that leave, planners that restart. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { socketPath, startApi } from '../../../../planner/api/index.ts'
import { openPlanner, ScriptedDevice } from '../../conductor/scripted-fleet.ts'
import { running } from '../running-planner.ts'

const MAIN = fileURLToPath(new URL('../../../../planner/cli/main.js', import.meta.url))
const { FITMENT_TOKEN: _, ...env } = process.env

t.setTimeout(240_000)

function watching(t: Test, data: string, ...argv: string[]) {
  const child = spawn(process.execPath, [MAIN, 'devices', '--data', data, '--watch', ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.on('data', (text) => {
    said.out += text
  })
  child.stderr.on('data', (text) => {
    said.err += text
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  const until = async (key: 'out' | 'err', pattern: RegExp) => {
    while (!pattern.test(said[key])) {
      if (child.exitCode !== null) throw new Error(`it ended: ${said.out}${said.err}`)
      await sleep(50)
    }
  }
  return { child, said, ended, until }
}

t.test('appended where there is no terminal; Ctrl-C ends it in order', async (t) => {
  const { data, planner } = await running(t)
  await new ScriptedDevice('press-1', planner).join()
  const { child, said, ended, until } = watching(t, data, '0.5')
  await until('out', /press-1[\s\S]*press-1/)
  await new ScriptedDevice('press-2', planner).join()
  await until('out', /press-2/)
  child.kill('SIGINT')
  t.same(await ended, [0, null])
  t.match(said.out, /^\d{4}-\d\d-\d\dT[\d:.]+Z\nDEVICE .*\npress-1 /)
  t.equal(said.err, '')
})

t.test('at once when the planner tells that something moved', async (t) => {
  const { data, planner } = await running(t)
  // Nobody waits an hour: what is shown after the first time was told.
  const { child, ended, until } = watching(t, data, '3600', '-o', 'json')
  await until('out', /^\[\]\n/)
  const joining = async () => {
    for (let at = 1; at < 100 && child.exitCode === null; at++) {
      await new ScriptedDevice(`press-${at}`, planner).join()
      await sleep(200)
    }
  }
  const joined = joining()
  await until('out', /press-/)
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
  await joined
})

t.test('a reader that has seen enough', async (t) => {
  const { data, planner } = await running(t)
  await new ScriptedDevice('press-1', planner).join()
  const { child, said, ended, until } = watching(t, data, '0.3')
  await until('out', /press-1/)
  child.stdout.destroy()
  t.same(await ended, [0, null])
  t.equal(said.err, '')
})

t.test('a planner that restarts is waited for; one that is not there is no start', async (t) => {
  const data = t.testdir({})
  const planner = await openPlanner(data)
  t.teardown(planner.close)
  const api = () =>
    startApi({
      conductor: planner.conductor,
      info: { version: '', fleet: 'default', broker: '', database: '', trust: planner.trust },
      socket: socketPath(data),
      log: pino({ level: 'silent' }),
    })
  const nobody = watching(t, data, '0.3')
  t.same(await nobody.ended, [1, null])
  t.match(nobody.said.err, /^error \[no-planner\]: .*\n$/)

  const before = await api()
  const { child, ended, until, said } = watching(t, data, '0.3', '--json')
  await until('out', /^\[\]\n/)
  await before.close()
  await until('err', /^waiting: no planner runs on /m)
  const after = await api()
  t.teardown(after.close)
  const seen = said.out.length
  while (said.out.length === seen) await sleep(50)
  child.kill('SIGINT')
  t.same(await ended, [0, null])
})
