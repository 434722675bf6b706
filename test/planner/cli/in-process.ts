import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Test } from 'tap'
import { socketPath, startApi } from '../../../planner/api/index.ts'
import { commands } from '../../../planner/cli/commands.ts'
import { runProgram } from '../../../planner/cli/program.ts'
import { openPlanner } from '../conductor/scripted-fleet.ts'

/** One command line, in this process. */
export async function fitment(...argv: string[]) {
  const written = { out: '', err: '' }
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk)
        done()
      },
    })
  const code = await runProgram(commands, argv, { stdout: sink('out'), stderr: sink('err') })
  return { code, ...written }
}

/** A planner whose devices the test plays, with its API on the socket commands ask. */
export async function running(t: Test) {
  const data = t.testdir({})
  const planner = await openPlanner(data)
  t.teardown(planner.close)
  const api = await startApi({
    conductor: planner.conductor,
    info: { version: '', fleet: 'default', broker: '', database: '', trust: planner.trust },
    socket: socketPath(data),
    log: pino({ level: 'silent' }),
  })
  t.teardown(api.close)
  return { data, planner }
}
