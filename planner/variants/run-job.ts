import { AppError } from '../../shared/errors.ts'
import { LastWords } from '../../shared/last-words.ts'
import { expectJobs, keepWorker, takeWorker } from './job-workers.ts'
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

/** Whoever registers a model has files made of it. */
const FOLLOWED_BY: Partial<Record<JobKind, JobKind>> = { prepare: 'build' }

const DEFAULT_TIMEOUT_MS = 30 * 60_000

/**
 * Runs one job in a child process that does nothing else meanwhile: a new one, or one that has done a job well lately and need
 * not load everything again.
 * @throws JobError with the code of what went wrong in there, `crashed`, `timeout` or `cancelled`
 */
export function runJob<K extends JobKind>(
  kind: K,
  input: JobInput<K>,
  options: JobOptions = {},
): Promise<JobOutput<K>> {
  const child = takeWorker()
  const next = FOLLOWED_BY[kind]
  if (next) expectJobs(next)
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return new Promise<JobOutput<K>>((resolve, reject) => {
    const said = new LastWords(child.stderr)
    const settle = (act: () => void, again = false) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', cancel)
      child.removeAllListeners('message')
      child.removeAllListeners('error')
      child.removeAllListeners('exit')
      // What it said in this job explains no end in another.
      child.stderr?.removeAllListeners('data')
      if (again) keepWorker(child)
      else if (child.exitCode === null) child.kill('SIGKILL')
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
        done: (output, again) =>
          settle(() => resolve(JOBS[kind].output.parse(output) as JobOutput<K>), again),
        failed: fail,
      }),
    )
    child.once('error', (error) => fail('crashed', `the worker did not start: ${error.message}`))
    child.once('exit', (code, signal) => fail('crashed', crash(said, code, signal)))
    child.send({ kind, input })
  })
}

interface Takers {
  readonly progress: OnProgress
  readonly done: (output: unknown, again: boolean) => void
  readonly failed: (code: string, message: string) => void
}

function take(message: JobMessage, to: Takers): void {
  if (message.say === 'progress') to.progress(message.done, message.total, message.what)
  else if (message.say === 'done') to.done(message.output, message.again)
  else to.failed(message.code, message.message)
}

function crash(said: LastWords, code: number | null, signal: string | null): string {
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
  const last = said.line(/./, Number.POSITIVE_INFINITY)
  return `the runtime crashed on this model: its process ${how}${last ? ` (${last})` : ''}`
}
