import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../../shared/errors.ts'
import {
  type SelfTestAnswer,
  type SelfTestJob,
  selfTestAnswerSchema,
} from './self-test-protocol.ts'

export const SELF_TEST_MS = 60_000

/** The variant is not fit for this device; the code is the runtime's own where it gave one. */
export class SelfTestError extends AppError {
  readonly code: string

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
    this.code = code
  }
}

/**
 * Runs the variant on its golden inputs in a child process, which may crash or hang without harm.
 * @throws SelfTestError `self-test-failed`, `self-test-crashed`, `self-test-timeout`, or a runtime's code
 */
export async function runSelfTest(
  job: SelfTestJob,
  signal: AbortSignal,
  limitMs: number = SELF_TEST_MS,
): Promise<void> {
  const answer = await answerOf(job, signal, limitMs)
  if (!answer.ok) throw new SelfTestError(answer.code, answer.message)
}

export type ModelEnds = Pick<Extract<SelfTestAnswer, { ok: true }>, 'inputs' | 'outputs'>

/** What goes into the model and comes out; null where it does not load: its self-test says why. */
export async function lookAt(
  job: Pick<SelfTestJob, 'file' | 'engine'>,
  signal: AbortSignal,
): Promise<ModelEnds | null> {
  const answer = await answerOf({ ...job, what: 'look', golden: null }, signal, SELF_TEST_MS)
  return answer.ok ? { inputs: answer.inputs, outputs: answer.outputs } : null
}

function answerOf(job: SelfTestJob, signal: AbortSignal, limitMs: number): Promise<SelfTestAnswer> {
  const { FITMENT_FAIL_POINT: _, ...env } = process.env
  const child = fork(
    fileURLToPath(new URL('./self-test-process.js', import.meta.url)),
    [JSON.stringify(job)],
    {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  )
  const kill = () => child.kill('SIGKILL')
  return new Promise((resolve) => {
    const fail = (code: string, message: string) => resolve({ ok: false, code, message })
    const timer = setTimeout(() => {
      fail('self-test-timeout', `the variant did not finish its self-test in ${limitMs / 1000} s`)
      kill()
    }, limitMs)
    signal.addEventListener('abort', kill, { once: true })
    child.once('message', (message) => {
      const parsed = selfTestAnswerSchema.safeParse(message)
      if (parsed.success) resolve(parsed.data)
      else fail('self-test-crashed', 'the self-test answered garbage')
    })
    child.once('error', (error) =>
      fail('no-child-process', `cannot run a child process: ${error.message}`),
    )
    child.once('exit', (code, killedBy) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      const how = killedBy ? `was killed by ${killedBy}` : `ended with exit code ${code}`
      fail('self-test-crashed', `the runtime ${how} during the self-test`)
    })
  })
}
