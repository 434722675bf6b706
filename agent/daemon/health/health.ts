import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, errnoOf } from '../../../shared/errors.ts'
import { LastWords } from '../../../shared/last-words.ts'
import { killGroup } from '../../../shared/process-group.ts'
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
const LAST_WORDS_MS = 200

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
  if (command === null || signal.aborted) return Promise.resolve()
  return new Promise((resolve, reject) => {
    // A group of its own: what it started ends with it.
    const child = spawn(command, [model, variant, file], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const words = [new LastWords(child.stdout), new LastWords(child.stderr)]
    const timer = setTimeout(() => {
      killGroup(child)
      reject(tooSlow(command, answerMs))
    }, answerMs)
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    const stop = () => {
      over()
      killGroup(child)
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
    child.once('error', (error) => {
      over()
      reject(unhealthy(command, errnoOf(error) ?? error.message, ''))
    })
    // Not at its `close`: what it left behind may keep its output open for as long as it likes, and nobody reads it then.
    const leave = () => {
      child.stdout.destroy()
      child.stderr.destroy()
    }
    child.once('exit', (code, killedBy) => {
      over()
      if (code === 0) {
        leave()
        return resolve()
      }
      // Its last words may still be on their way; what it left behind must not hold them up.
      void Promise.race([once(child, 'close'), sleep(LAST_WORDS_MS)]).then(() => {
        const said = words.map((one) => one.line()).filter((line) => line !== '')
        leave()
        reject(unhealthy(command, killedBy ?? `exit code ${code}`, said.at(-1) ?? ''))
      })
    })
  })
}

function tooSlow(command: string, answerMs: number): HealthError {
  return new HealthError('health-timeout', `${command} gave no answer within ${answerMs / 1000} s`)
}

function unhealthy(command: string, how: string, said: string): HealthError {
  const words = said.replace(/\p{Cc}/gu, ' ').slice(0, 300)
  return new HealthError('unhealthy', `${command}: ${how}${words ? `: ${words}` : ''}`)
}
