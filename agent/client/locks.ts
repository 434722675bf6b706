import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isAlive,
  isBeforeBoot,
  parseIdentity,
  printIdentity,
  thisProcess,
} from './process-identity.ts'

/** The file by which the agent itself says that it is moving the link. */
const AGENT = 'agent'
const POLL_MS = 200
const AGENT_POLL_MS = 20
/** A lock without a readable process in it may be half written for so long, ms. */
const GRACE_MS = 10_000

export interface Lock {
  release(): Promise<void>
}

/** Who keeps the agent waiting. */
export interface HeldLock {
  readonly name: string
  /** In the application's own words; null where it gave none. */
  readonly reason: string | null
  /** For how long it has been held. */
  readonly ageMs: number
}

const MOST_REASON = 200

/**
 * Locks of one model: files in `<state-dir>/locks/<model>/`, each with the number of a process. While
 * one of those lives, the agent does not move `current`.
 *
 * Both sides write their own file first and look for the other's afterwards, so never both go on.
 */
export class ModelLocks {
  readonly #directory: string
  /** Beside the locks, not in them: an agent of before takes every file among locks for one. */
  readonly #reasons: string

  constructor(stateDir: string, model: string) {
    this.#directory = join(stateDir, 'locks', model)
    this.#reasons = join(stateDir, 'lock-reasons', model)
  }

  /**
   * For an application that is busy with the model. Waits while the agent moves the link, which is short.
   * @param reason one line, which the agent shows to whoever asks why it waits
   */
  async hold(signal?: AbortSignal, reason = ''): Promise<Lock> {
    const name = `${process.pid}-${randomUUID()}`
    await this.#explain(name, reason)
    for (;;) {
      await this.#put(name)
      if (!(await this.#isHeld(AGENT))) return { release: () => this.#remove(name) }
      await this.#remove(name)
      await sleep(AGENT_POLL_MS, undefined, signal && { signal })
    }
  }

  /** Names of the locks that living applications hold; those of dead ones are removed. */
  async holders(): Promise<string[]> {
    const held: string[] = []
    for (const name of await this.#names()) {
      if (name !== AGENT && (await this.#isHeld(name))) held.push(name)
    }
    return held
  }

  /** The same with reason and age, the oldest first. */
  async described(names: readonly string[]): Promise<HeldLock[]> {
    const held: HeldLock[] = []
    for (const name of names) {
      const written = await stat(join(this.#directory, name)).catch(() => undefined)
      if (written === undefined) continue
      const reason = await readFile(join(this.#reasons, name), 'utf8').catch(() => '')
      const ageMs = Math.max(0, Math.round(Date.now() - written.mtimeMs))
      held.push({ name, reason: plain(reason) || null, ageMs })
    }
    return held.sort((a, b) => b.ageMs - a.ageMs)
  }

  /** Removes the locks of processes that died without a word, and answers how many there were. */
  async takeCrashed(): Promise<number> {
    let crashed = 0
    for (const name of await this.#names()) {
      if (name === AGENT || (await this.#isHeld(name))) continue
      crashed += 1
    }
    return crashed
  }

  /** Resolves when no application holds a lock. @param onWait told of the holders, and again when they are others */
  async whenFree(
    signal: AbortSignal,
    onWait: (holders: readonly string[]) => void = () => {},
  ): Promise<void> {
    let told = ''
    for (;;) {
      const holders = await this.holders()
      if (holders.length === 0) return
      const names = holders.join(' ')
      if (names !== told) onWait(holders)
      told = names
      await sleep(POLL_MS, undefined, { signal })
    }
  }

  /** For the agent: does the work while no application holds a lock or can get one. @param onWait as for `whenFree` */
  async exclusively<T>(
    signal: AbortSignal,
    work: () => Promise<T>,
    onWait?: (holders: readonly string[]) => void,
  ): Promise<T> {
    try {
      for (;;) {
        await this.#put(AGENT)
        if ((await this.holders()).length === 0) return await work()
        await this.#remove(AGENT)
        await this.whenFree(signal, onWait)
      }
    } finally {
      await this.#remove(AGENT)
    }
  }

  async #put(name: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    const path = join(this.#directory, name)
    await writeFile(`${path}.draft`, printIdentity(await thisProcess()))
    await rename(`${path}.draft`, path)
  }

  async #explain(name: string, reason: string): Promise<void> {
    if (plain(reason) === '') return
    await mkdir(this.#reasons, { recursive: true })
    await writeFile(join(this.#reasons, name), plain(reason))
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { force: true })
    await rm(join(this.#reasons, name), { force: true })
  }

  async #isHeld(name: string): Promise<boolean> {
    const path = join(this.#directory, name)
    try {
      const identity = parseIdentity(await readFile(path, 'utf8'))
      const { mtimeMs } = await stat(path)
      // A shell's number alone may be another process's after a boot.
      const isStale = identity?.startTicks === null && isBeforeBoot(mtimeMs)
      if (identity && !isStale && (await isAlive(identity))) return true
      if (!identity && Date.now() - mtimeMs < GRACE_MS) return true
      await this.#remove(name)
      return false
    } catch {
      return false
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#directory)).filter((name) => !name.endsWith('.draft'))
    } catch {
      return []
    }
  }
}

function plain(reason: string): string {
  return reason
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MOST_REASON)
}
