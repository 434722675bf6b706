import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keptOn } from '../../../shared/cores/index.ts'
import { AppError } from '../../../shared/errors.ts'
import { LastWords } from '../../../shared/last-words.ts'
import type { BenchRecord, BenchRequest } from './bench-run.ts'

const ENTRY = fileURLToPath(new URL(`./bench-process${extname(import.meta.url)}`, import.meta.url))
/** To start, to load a model and to run it once: what takes longer hangs. */
const BESIDE_MS = 120_000
/** Of the least paced measurement, with those that settle. */
const PACED_RUNS = 50

export type BenchMessage =
  | { readonly say: 'block'; readonly round: number }
  | { readonly say: 'done'; readonly record: BenchRecord }
  | { readonly say: 'failed'; readonly code: string; readonly message: string }

export class BenchError extends AppError {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The benchmark in a process of its own, which a runtime or a delegate may end. @throws BenchError */
export function benchInChild(
  request: BenchRequest,
  afterBlock: (round: number) => void,
  besideMs: number = BESIDE_MS,
  cores: readonly number[] | null = null,
): Promise<BenchRecord> {
  const child = fork(ENTRY, [], {
    ...(keptOn(cores) ?? { execArgv: [] }),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const stderr = new LastWords(child.stderr)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BenchError('timeout', `${nameOf(request)} hangs: nothing was measured`))
      child.kill('SIGKILL')
    }, besideMs + timeOf(request))
    child.on('message', (message: BenchMessage) => {
      if (message.say === 'block') return afterBlock(message.round)
      if (message.say === 'done') resolve(message.record)
      else reject(new BenchError(message.code, message.message))
    })
    child.on('error', (error) => reject(new BenchError('crashed', error.message)))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const how = signal ?? `exit code ${code}`
      const last = stderr.line()
      const words = last === '' ? '' : `: ${last}`
      reject(new BenchError('crashed', `${nameOf(request)} crashed (${how})${words}`))
    })
    child.send(request)
  })
}

/** Measuring takes so long, ms; a slow rate the time of its runs, energy as long again and the rest before and after. */
function timeOf({ seconds, rateHz, soakMs = 0, energy = false }: BenchRequest): number {
  const pacedMs = rateHz === undefined ? 0 : 1000 * seconds + PACED_RUNS * (1000 / rateHz)
  return 1000 * seconds * (energy ? 4 : 1) + pacedMs + soakMs
}

function nameOf({ engine: { runtime, library, delegates = [] } }: BenchRequest): string {
  const names = [library ?? runtime, ...delegates.map(({ path }) => path)]
  return names.join(' with ')
}
