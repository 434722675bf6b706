import { Writable } from 'node:stream'
import { commandsFor } from '../../../planner/cli/commands.ts'
import { runProgram } from '../../../planner/cli/program/program.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The program as users run it, in this process. */
export async function fitment(...argv: string[]): Promise<Ran> {
  const written = { out: '', err: '' }
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk)
        done()
      },
    })
  const streams = { stdout: sink('out'), stderr: sink('err') }
  const code = await runProgram(await commandsFor(argv), argv, streams)
  return { code, ...written }
}
