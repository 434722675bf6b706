import type { ChildProcess } from 'node:child_process'
import { LastWords } from '../../shared/last-words.ts'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import { formatBytes } from '../../shared/units.ts'
import { limitMemory, type MemoryGroup } from './cgroup.ts'
import {
  type ChildMessage,
  childMessageSchema,
  type MeasuredField,
  PHASES,
  type Phase,
} from './child-messages.ts'
import { ProbeError, type ProbeErrorCode } from './errors.ts'
import { readMemory } from './process-memory.ts'
import type { ProbeRequest, SidesRequest } from './request.ts'
import { childFor } from './spare-child.ts'

/** Between two looks at the child's memory, where the kernel does not keep the limit. */
const WATCH_MS = 50

export interface ProbeWatch {
  /** Ends the probe as `cancelled`. */
  readonly signal?: AbortSignal
  readonly onPhase?: (phase: Phase) => void
  /** Another probe is likely to follow soon: its process may start already. */
  readonly more?: boolean
}

type Answer = Exclude<ChildMessage, { kind: 'phase' }>

/** One child process from its start to its end. */
export class ChildProcessWatch {
  readonly #request: ProbeRequest | SidesRequest
  readonly #watch: ProbeWatch
  readonly #child: ChildProcess
  readonly #stderr: LastWords
  #phase: Phase = 'starting'
  #peak = 0
  #group: MemoryGroup | undefined
  /** Why we killed it. */
  #killedFor: { code: ProbeErrorCode; why: string } | undefined
  #answer: Answer | undefined

  constructor(request: ProbeRequest | SidesRequest, watch: ProbeWatch) {
    this.#request = request
    this.#watch = watch
    this.#child = childFor(request.cores ?? null)
    this.#child.send(request, () => {
      // Where it is gone already, its end is told by `close`.
    })
    this.#stderr = new LastWords(this.#child.stderr)
  }

  /** Of one variant. @throws ProbeError */
  async result(): Promise<ProbeRecord> {
    const answer = await this.#answered()
    if (answer.kind === 'measured') return answer.record
    throw new ProbeError('crashed', 'the probe answered something else')
  }

  /** Of several in turns. @throws ProbeError */
  async field(): Promise<MeasuredField> {
    const answer = await this.#answered()
    if (answer.kind === 'field') return answer.field
    throw new ProbeError('crashed', 'the probe answered something else')
  }

  async #answered(): Promise<Answer> {
    const { timeoutMs, memoryLimitBytes } = this.#request
    const ended = this.#listen()
    const timer = setTimeout(
      () => this.#kill('timeout', `took longer than ${timeoutMs} ms`),
      timeoutMs,
    )
    const abort = () => this.#kill('cancelled', 'was cancelled')
    this.#watch.signal?.addEventListener('abort', abort)
    if (this.#watch.signal?.aborted) abort()
    const watch = setInterval(() => this.#lookAtMemory(), WATCH_MS)
    if (memoryLimitBytes !== null && this.#child.pid !== undefined)
      this.#group = await limitMemory(this.#request.root, this.#child.pid, memoryLimitBytes)
    try {
      const end = await ended
      return await this.#conclude(end)
    } finally {
      clearTimeout(timer)
      clearInterval(watch)
      this.#watch.signal?.removeEventListener('abort', abort)
      await this.#group?.remove()
    }
  }

  #listen(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.#child.on('message', (message) => {
      const parsed = childMessageSchema.safeParse(message)
      if (!parsed.success) this.#kill('crashed', 'sent what is no result')
      else if (parsed.data.kind === 'phase') this.#enter(parsed.data.phase)
      else this.#answer = parsed.data
    })
    return new Promise((resolve) => {
      // Also when it could not be started at all.
      this.#child.on('error', (error) => {
        this.#stderr.add(`\n${error.message}`)
        resolve({ code: null, signal: null })
      })
      this.#child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#watch.onPhase?.(phase)
  }

  #lookAtMemory(): void {
    const { pid } = this.#child
    const memory = pid === undefined ? undefined : readMemory(pid)
    if (memory === undefined) return
    this.#peak = Math.max(this.#peak, memory.peak)
    const limit = this.#request.memoryLimitBytes
    if (limit !== null && memory.now > limit)
      this.#kill(
        'out-of-memory',
        `took ${formatBytes(memory.peak)}, over its ${formatBytes(limit)}`,
      )
  }

  #kill(code: ProbeErrorCode, why: string): void {
    this.#killedFor ??= { code, why }
    this.#child.kill('SIGKILL')
  }

  async #conclude(end: { code: number | null; signal: NodeJS.Signals | null }): Promise<Answer> {
    const peak = (await this.#group?.peak()) ?? this.#peak
    const failed = (code: ProbeErrorCode, message: string) =>
      new ProbeError(code, message, { phase: this.#phase, peakMemoryBytes: peak })
    if (this.#answer?.kind === 'failed') throw failed(this.#answer.code, this.#answer.message)
    if (this.#answer !== undefined) return this.#answer
    const doing = PHASES[this.#phase]
    if (this.#killedFor !== undefined)
      throw failed(this.#killedFor.code, `the probe ${this.#killedFor.why} while ${doing}`)
    if (await this.#ranOutOfMemory(end.signal))
      throw failed(
        'out-of-memory',
        `the probe ran out of memory while ${doing}, at ${formatBytes(peak)}`,
      )
    const how = end.signal ?? `exit code ${end.code}`
    throw failed('crashed', `the probe crashed (${how}) while ${doing}${this.#lastWords()}`)
  }

  /** The kernel kills without a word; V8 aborts with one. */
  async #ranOutOfMemory(signal: NodeJS.Signals | null): Promise<boolean> {
    if (await this.#group?.killed()) return true
    return signal === 'SIGKILL' || this.#stderr.says(/heap out of memory|bad_alloc/)
  }

  #lastWords(): string {
    const line = this.#stderr.line(/error|fatal|abort/i)
    return line === '' ? '' : `: ${line}`
  }
}
