import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
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
  /** What the preloaded clock reads; `undefined` where there is no compiler for it. */
  readonly #clock: { readonly library: string; readonly file: string } | undefined
  #child: ChildProcess | undefined
  /** Where its present life begins in the log. */
  #bornAt = 0
  /** Where the present life, or the last one, was to end. */
  failPoint = ''
  #ended: Promise<Death> | undefined

  constructor(
    role: Role,
    name: string,
    logs: string,
    args: () => readonly string[],
    clockLibrary?: string,
  ) {
    this.role = role
    this.name = name
    this.#args = args
    this.#log = join(logs, `${name}.log`)
    const file = join(logs, `${name}.clock`)
    this.#clock = clockLibrary === undefined ? undefined : { library: clockLibrary, file }
    this.setClock(0)
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
    this.#bornAt = fstatSync(log).size
    const { FITMENT_FAIL_POINT: _, FITMENT_TOKEN: __, ...environment } = process.env
    const clock = this.#clock && { LD_PRELOAD: this.#clock.library, WRONG_CLOCK: this.#clock.file }
    const child = spawn(process.execPath, this.line, {
      stdio: ['ignore', log, log],
      // A machine of its own: sessions share the processors by sched(7), autogroup, not the processes in one.
      detached: true,
      env: {
        ...environment,
        ...clock,
        ...(failPoint !== '' && { FITMENT_FAIL_POINT: failPoint }),
      },
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

  /** What Node is told to run. */
  get line(): readonly string[] {
    return [fileURLToPath(new URL(MAINS[this.role], import.meta.url)), ...this.#args()]
  }

  /** Its wall clock, by so many seconds beside ours, from now on. */
  setClock(seconds: number): void {
    if (this.#clock) writeFileSync(this.#clock.file, String(seconds))
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
    this.#child?.kill(signal)
  }

  saidInThisLife(): string {
    return readFileSync(this.#log).subarray(this.#bornAt).toString()
  }

  lastWords(): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join(' | ')
  }
}
