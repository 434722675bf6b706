import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../shared/errors.ts'
import { ModelLocks } from '../../client/index.ts'
import type { HealthMessages } from './health-messages.ts'

/** What the operator of the device wants to see before a variant counts as active. */
export interface HealthSettings {
  /** A program that is asked `<command> <model> <variant> <file>`; exit code 0: healthy. `null`: nobody is asked. */
  readonly command: string | null
  /** An application must say on the agent's health socket that it is healthy. */
  readonly word: boolean
  /** Time that program and application each have for their answer, ms. */
  readonly answerMs: number
  /** Time for which applications are watched after the switch, ms. */
  readonly watchMs: number
}

export const UNWATCHED: HealthSettings = {
  command: null,
  word: false,
  answerMs: 30_000,
  watchMs: 0,
}

export type HealthCode = 'unhealthy' | 'health-timeout' | 'applications-crash'

/** Applications do not get on with the variant. */
export class HealthError extends AppError {
  readonly code: HealthCode

  constructor(code: HealthCode, message: string) {
    super(message)
    this.code = code
  }
}

export interface Watched {
  readonly stateDir: string
  readonly model: string
  readonly variant: string
  readonly file: string
}

/** Deaths of applications that held a lock of the model; one may be an accident. */
const CRASHES_ALLOWED = 2
const LOOK_MS = 250
const MOST_OUTPUT_BYTES = 64 * 1024

/** Asks, listens, watches, and asks again. An application that says it is unhealthy ends it at any moment. @throws HealthError */
export async function watchHealth(
  watched: Watched,
  settings: HealthSettings,
  messages: HealthMessages,
  signal: AbortSignal,
): Promise<void> {
  const said = wordsAbout(watched, messages)
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  try {
    await Promise.race([said.unhealthy, steps(watched, settings, said, until)])
  } finally {
    over.abort()
    said.stop()
  }
}

async function steps(
  watched: Watched,
  settings: HealthSettings,
  { healthy }: Said,
  signal: AbortSignal,
): Promise<void> {
  await ask(watched, settings, signal)
  if (settings.word) await Promise.race([healthy, silence(watched, settings, signal)])
  if (settings.watchMs === 0) return
  await countCrashes(watched, settings.watchMs, signal)
  await ask(watched, settings, signal)
}

interface Said {
  readonly healthy: Promise<void>
  /** Never resolves. */
  readonly unhealthy: Promise<never>
  stop(): void
}

function wordsAbout({ model, variant }: Watched, messages: HealthMessages): Said {
  let stop = () => {}
  let isHealthy = () => {}
  const healthy = new Promise<void>((resolve) => {
    isHealthy = resolve
  })
  const unhealthy = new Promise<never>((_, reject) => {
    stop = messages.listen((word) => {
      if (word.model !== model || word.variant !== variant) return false
      if (word.healthy) isHealthy()
      else
        reject(new HealthError('unhealthy', `an application said so: ${word.detail || 'no more'}`))
      return true
    })
  })
  return { healthy, unhealthy, stop: () => stop() }
}

async function silence(
  { model }: Watched,
  { answerMs }: HealthSettings,
  signal: AbortSignal,
): Promise<never> {
  await sleep(answerMs, undefined, { signal })
  const message = `no application said within ${answerMs / 1000} s that it is healthy with ${model}`
  throw new HealthError('health-timeout', message)
}

async function countCrashes(
  { stateDir, model }: Watched,
  watchMs: number,
  signal: AbortSignal,
): Promise<void> {
  const locks = new ModelLocks(stateDir, model)
  // Those of before the switch are no fault of the variant.
  await locks.takeCrashed()
  let crashes = 0
  for (const end = performance.now() + watchMs; performance.now() < end; ) {
    await sleep(Math.min(LOOK_MS, watchMs), undefined, { signal })
    crashes += await locks.takeCrashed()
    if (crashes <= CRASHES_ALLOWED) continue
    const message = `${crashes} applications died while they used ${model}, within ${watchMs / 1000} s of the switch`
    throw new HealthError('applications-crash', message)
  }
}

function ask(
  { model, variant, file }: Watched,
  { command, answerMs }: HealthSettings,
  signal: AbortSignal,
): Promise<void> {
  if (command === null) return Promise.resolve()
  const options = {
    timeout: answerMs,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT_BYTES,
  } as const
  return new Promise((resolve, reject) => {
    execFile(command, [model, variant, file], { ...options, signal }, (error, out, err) => {
      if (!error || signal.aborted) return resolve()
      reject(
        error.killed ? tooSlow(command, answerMs) : unhealthy(command, error, `${out}\n${err}`),
      )
    })
  })
}

function tooSlow(command: string, answerMs: number): HealthError {
  return new HealthError('health-timeout', `${command} gave no answer within ${answerMs / 1000} s`)
}

function unhealthy(command: string, error: Error & { code?: unknown }, said: string): HealthError {
  const words = said
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/\p{Cc}/gu, ' ')
    .slice(0, 300)
  const how = typeof error.code === 'number' ? `exit code ${error.code}` : (error.code ?? 'killed')
  return new HealthError('unhealthy', `${command}: ${how}${words ? `: ${words}` : ''}`)
}
