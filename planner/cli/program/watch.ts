import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, oneLine } from '../../../shared/errors.ts'
import { ApiError, followEvents } from '../../api/index.ts'
import type { ExitCode } from './command.ts'
import type { CliStreams } from './io.ts'

/** However much moves: a person reads no faster. */
const LEAST_MS = 500

const CLEAR = '\u001b[2J\u001b[H'
const HOME = '\u001b[H'
const TO_LINE_END = '\u001b[K'
const TO_SCREEN_END = '\u001b[J'

export interface Watching {
  readonly seconds: number
  /** Whose planner tells when something moved; undefined: nobody does. */
  readonly data: string | undefined
  /** For JSON: nothing but the values. */
  readonly bare: boolean
}

/**
 * Shows what a command shows, again and again: redrawn on a terminal, one after the other elsewhere. Ends with 0 by
 * Ctrl-C or SIGTERM. A planner that restarts is waited for; whatever else goes wrong ends it.
 * @param once runs the command
 */
export async function watch(
  { seconds, data, bare }: Watching,
  streams: CliStreams,
  once: (streams: CliStreams) => Promise<unknown>,
): Promise<ExitCode> {
  const end = new AbortController()
  const stop = () => end.abort()
  const { signal } = end
  const moves = new Moves(data, signal)
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const screen = streams.stdout.isTTY === true ? new Screen(streams) : undefined
    for (let round = 0; !signal.aborted; round++) {
      const frame = await frameOf(once, round === 0)
      if (signal.aborted) break
      if (screen) screen.draw(`${titleOf(seconds)}\n\n${frame.out}${frame.err}`)
      else {
        if (!bare) streams.stdout.write(`${round === 0 ? '' : '\n'}${new Date().toISOString()}\n`)
        streams.stdout.write(frame.out)
        streams.stderr.write(frame.err)
      }
      await moves.wait(seconds * 1000)
    }
    return 0
  } finally {
    stop()
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function titleOf(seconds: number): string {
  return `every ${seconds} s, now ${new Date().toISOString()}; Ctrl-C ends it`
}

async function frameOf(
  once: (streams: CliStreams) => Promise<unknown>,
  isFirst: boolean,
): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' }
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        said[key] += String(chunk)
        done()
      },
    })
  try {
    await once({
      stdout: sink('out'),
      stderr: sink('err'),
    })
  } catch (error) {
    const isAway = error instanceof ApiError && error.code === 'no-planner'
    if (isFirst || !isAway) throw error
    said.err += `waiting: ${oneLine(messageOf(error))}\n`
  }
  return said
}

/** Redraws in place; what is longer than the terminal ends in how much more there is. */
class Screen {
  readonly #stdout: CliStreams['stdout']
  #isDrawn = false

  constructor({ stdout }: CliStreams) {
    this.#stdout = stdout
  }

  draw(text: string): void {
    const lines = text.trimEnd().split('\n')
    const room = Math.max(4, this.#stdout.rows || Number.POSITIVE_INFINITY) - 1
    const shown =
      lines.length <= room
        ? lines
        : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} lines more`]
    const drawn = shown.map((line) => `${line}${TO_LINE_END}\n`).join('')
    this.#stdout.write(`${this.#isDrawn ? HOME : CLEAR}${drawn}${TO_SCREEN_END}`)
    this.#isDrawn = true
  }
}

/** When to look again: after a time, or as soon as the planner tells that something moved. */
class Moves {
  readonly #data: string | undefined
  readonly #signal: AbortSignal
  #isListening = false
  #hasMoved = false
  #wake: () => void = () => {}

  constructor(data: string | undefined, signal: AbortSignal) {
    this.#data = data
    this.#signal = signal
  }

  async wait(ms: number): Promise<void> {
    this.#listen()
    const started = performance.now()
    if (!this.#hasMoved) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([woken, this.#sleep(ms)])
    }
    const rest = Math.min(ms, LEAST_MS) - (performance.now() - started)
    if (rest > 0) await this.#sleep(rest)
    this.#hasMoved = false
  }

  #listen(): void {
    if (this.#isListening || this.#data === undefined) return
    this.#isListening = true
    const moved = () => {
      this.#hasMoved = true
      this.#wake()
    }
    void followEvents(this.#data, moved, this.#signal).finally(() => {
      this.#isListening = false
    })
  }

  #sleep(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#signal }).catch(() => {})
  }
}
