import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../shared/errors.ts'

/** The demo did not come to its end; `details.logs` is where its processes wrote why. */
export class DemoError extends AppError {
  readonly code = 'demo-failed'
}

/** Time a process gets to leave after SIGTERM, ms. */
const GRACE_MS = 5_000

const BINARIES = { fitment: 'planner/cli/main.js', 'fitment-agent': 'agent/cli/main.js' } as const
export type Binary = keyof typeof BINARIES

/** Real processes of the two programs a user installs, each with its log file; none outlives the demo. */
export class ProcessGroup {
  readonly #logs: string
  readonly #running = new Set<ChildProcess>()

  constructor(logs: string) {
    this.#logs = logs
    mkdirSync(logs, { recursive: true })
  }

  /** Starts a process that stays. */
  start(name: string, binary: Binary, args: readonly string[]): void {
    const child = this.#spawn(binary, args)
    const log = createWriteStream(join(this.#logs, `${name}.log`))
    child.stderr?.pipe(log, { end: false })
    child.stdout?.pipe(log, { end: false })
    child.on('exit', (code, signal) => log.end(`\n[exit ${code ?? signal}]\n`))
  }

  /** Ends all of them, the stubborn with SIGKILL. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((child) => ended(child)))
  }

  #spawn(binary: Binary, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [join(compiledRoot(), BINARIES[binary]), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#running.add(child)
    child.on('exit', () => this.#running.delete(child))
    return child
  }
}

/** `dist/`, or wherever this file was compiled to. */
function compiledRoot(): string {
  return dirname(dirname(dirname(fileURLToPath(import.meta.url))))
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await exit
  clearTimeout(timer)
}
