import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Role } from './tally.ts'

const MAINS: Readonly<Record<Role, string>> = {
  agent: '../../agent/cli/main.js',
  planner: '../../planner/cli/main.js',
  broker: '../../planner/cli/main.js',
}

export interface Death {
  /** `SIGKILL` where it was killed, by us or at a fail point. */
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
}

/** One of the installed programs, killed and started again as often as it takes; its log goes on in one file. */
export class Program {
  readonly role: Role
  readonly name: string
  readonly #args: () => readonly string[]
  readonly #log: string
  #child: ChildProcess | undefined
  /** Where the present life, or the last one, was to end. */
  failPoint = ''
  #ended: Promise<Death> | undefined

  constructor(role: Role, name: string, logs: string, args: () => readonly string[]) {
    this.role = role
    this.name = name
    this.#args = args
    this.#log = join(logs, `${name}.log`)
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get ended(): Promise<Death> {
    return this.#ended ?? Promise.resolve({ signal: null, code: null })
  }

  /** @param failPoint where it shall kill itself; empty: nowhere */
  start(failPoint: string): void {
    this.failPoint = failPoint
    const log = openSync(this.#log, 'a')
    const main = fileURLToPath(new URL(MAINS[this.role], import.meta.url))
    const { FITMENT_FAIL_POINT: _, FITMENT_TOKEN: __, ...environment } = process.env
    const child = spawn(process.execPath, [main, ...this.#args()], {
      stdio: ['ignore', log, log],
      env: { ...environment, ...(failPoint !== '' && { FITMENT_FAIL_POINT: failPoint }) },
    })
    closeSync(log)
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined
        resolve({ code, signal })
      })
    })
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
    this.#child?.kill(signal)
  }

  lastWords(): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join(' | ')
  }
}
