import { AppError, isDiskFull, messageOf } from '../../shared/errors.ts'
import { isOneOf } from '../../shared/open-words.ts'
import {
  JOB_KINDS,
  JOBS,
  type JobKind,
  type JobMessage,
  type JobRunners,
  jobRequestSchema,
} from './jobs.ts'

/** Entry of the child process: one job after the other. Loads what each needs: an evaluation needs no quantizer. */
const modules = {
  prepare: () => import('./prepare.ts'),
  build: () => import('./build.ts'),
  evaluate: () => import('./evaluate.ts'),
} as const satisfies Record<JobKind, () => Promise<unknown>>

const runners: JobRunners = {
  prepare: async (...asked) => (await modules.prepare()).prepare(...asked),
  build: async (...asked) => (await modules.build()).build(...asked),
  evaluate: async (...asked) => (await modules.evaluate()).evaluate(...asked),
}

/** A progress message more often than this says nothing more to people. */
const PROGRESS_EVERY_MS = 100

/** Whoever holds more after a job makes room by its end: runtimes keep the memory of the largest model they had. */
const MOST_HELD_BYTES = 512 * 1024 * 1024

// What is expected is loaded while nothing is asked for; where that fails, the job itself says why.
const [, , expected = ''] = process.argv
if (isOneOf(JOB_KINDS, expected)) modules[expected]().catch(() => {})

process.on('message', (message) => void work(message))
// The planner is gone: nobody wants the result.
process.once('disconnect', () => process.exit(1))

async function work(message: unknown): Promise<void> {
  const request = jobRequestSchema.parse(message)
  try {
    const output = await run(request.kind, request.input)
    const again = process.memoryUsage.rss() <= MOST_HELD_BYTES
    await say({ say: 'done', output, again })
    if (again) return
  } catch (error) {
    const isFull = isDiskFull(error)
    const code = error instanceof AppError ? error.code : isFull ? 'disk-full' : 'internal'
    const text = isFull ? `no room is left on the disk: ${messageOf(error)}` : messageOf(error)
    if (!(error instanceof AppError) && !isFull && error instanceof Error)
      process.stderr.write(`${error.stack}\n`)
    await say({ say: 'failed', code, message: text })
  }
  // What failed may have left anything behind.
  process.exit(0)
}

function run<K extends JobKind>(kind: K, input: unknown): Promise<unknown> {
  let shownAt = 0
  const runner = runners[kind] as (input: unknown, onProgress: unknown) => Promise<unknown>
  return runner(JOBS[kind].input.parse(input), (done: number, total: number, what: string) => {
    if (done < total && performance.now() - shownAt < PROGRESS_EVERY_MS) return
    shownAt = performance.now()
    void say({ say: 'progress', done, total, what })
  })
}

function say(message: JobMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve())
    else resolve()
  })
}
