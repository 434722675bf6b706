import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { FITMENT } from './command-line.ts'

const AGENT = fileURLToPath(new URL('../../agent/cli/main.js', import.meta.url))

/** What a device is told of the planner. */
export interface Address {
  readonly broker: string
  readonly trust: string
}

/** Planner and agents as processes of their own, ended with the test. */
export class Running {
  readonly #processes: ChildProcess[] = []

  constructor(t: Test) {
    t.teardown(() => this.stop())
  }

  /** Folders of the test go after this only. */
  async stop(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  }

  /** Starts `fitment serve` and reads the one JSON value it says when it is ready. */
  async serve(data: string, ...flags: string[]): Promise<Address & { child: ChildProcess }> {
    const child = spawn(
      process.execPath,
      [FITMENT, 'serve', '--insecure-loopback', '--data', data, '--json', ...flags],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#processes.push(child)
    let out = ''
    const address = await new Promise<Address>((resolve, reject) => {
      child.stdout.on('data', (chunk) => {
        out += chunk
        if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out))
      })
      child.once('close', () => reject(new Error('serve ended')))
    })
    return { ...address, child }
  }

  /** @param environment beside this process's own */
  agent(
    device: string,
    stateDir: string,
    { broker, trust }: Address,
    flags: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const to = ['--broker', broker, '--trust', trust, '--device', device, '--state-dir', stateDir]
    const child = spawn(
      process.execPath,
      [AGENT, 'run', ...to, '--log-level', 'silent', ...flags],
      {
        stdio: 'ignore',
        env: { ...process.env, ...environment },
      },
    )
    this.#processes.push(child)
    return child
  }
}

/** Builds are of low priority: on a machine that is busy they take their time. */
const PATIENCE_MS = 600_000

export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const found = await look().catch(() => undefined)
    if (found !== undefined) return found
    await sleep(300)
  }
  throw new Error(`waited in vain for ${what}`)
}
