import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../shared/errors.ts'
import { LastWords } from '../../shared/last-words.ts'
import {
  JOBS,
  type JobInput,
  type JobKind,
  type JobMessage,
  type JobOutput,
  jobMessageSchema,
  type OnProgress,
} from './jobs.ts'

/** A model or data set that cannot be worked on; the code is the cause's own. */
export class JobError extends AppError {
  readonly code: string

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
    this.code = code
  }
}

export interface JobOptions {
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
  /** Longest a job may take, ms. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 30 * 60_000

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))

/**
 * Runs one job in a child process of its own, at low priority so that probes on this host suffer less.
 * @throws JobError with the code of what went wrong in there, `crashed`, `timeout` or `cancelled`
 */
export function runJob<K extends JobKind>(
  kind: K,
  input: JobInput<K>,
  options: JobOptions = {},
): Promise<JobOutput<K>> {
  const child = fork(worker, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return new Promise<JobOutput<K>>((resolve, reject) => {
    const crash = lastWords(child)
    const settle = (act: () => void) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', cancel)
      child.removeAllListeners('message')
      child.removeAllListeners('exit')
      if (child.exitCode === null) child.kill('SIGKILL')
      act()
    }
    const fail = (code: string, message: string) =>
      settle(() => reject(new JobError(code, message, { kind })))
    const cancel = () => fail('cancelled', 'the work was cancelled')
    const timer = setTimeout(
      () =>
        fail(
          'timeout',
          `gave up after ${Math.round(timeoutMs / 1000)} s: the model or its runtime hangs`,
        ),
      timeoutMs,
    )
    if (options.signal?.aborted) return cancel()
    options.signal?.addEventListener('abort', cancel)
    child.on('message', (raw) =>
      take(jobMessageSchema.parse(raw), {
        progress: options.onProgress ?? (() => {}),
        done: (output) => settle(() => resolve(JOBS[kind].output.parse(output) as JobOutput<K>)),
        failed: fail,
      }),
    )
    child.once('error', (error) => fail('crashed', `the worker did not start: ${error.message}`))
    child.once('exit', (code, signal) => fail('crashed', crash(code, signal)))
    child.send({ kind, input })
  })
}

interface Takers {
  readonly progress: OnProgress
  readonly done: (output: unknown) => void
  readonly failed: (code: string, message: string) => void
}

function take(message: JobMessage, to: Takers): void {
  if (message.say === 'progress') to.progress(message.done, message.total, message.what)
  else if (message.say === 'done') to.done(message.output)
  else to.failed(message.code, message.message)
}

function lastWords(child: ChildProcess): (code: number | null, signal: string | null) => string {
  const said = new LastWords(child.stderr)
  return (code, signal) => {
    const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
    const last = said.line(/./, Number.POSITIVE_INFINITY)
    return `the runtime crashed on this model: its process ${how}${last ? ` (${last})` : ''}`
  }
}
