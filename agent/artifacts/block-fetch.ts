import type { Digest } from '../../shared/digest.ts'
import type { BlockFrame } from '../../shared/messages/index.ts'
import type { BlockSource, Gate, Monotonic } from './block-source.ts'
import { BlockWindow } from './block-window.ts'
import { ArtifactError, abortedError } from './errors.ts'
import { wantsFor } from './wants.ts'

/** How often silence is noticed, ms. */
const TICK_MS = 250
/** Wrong blocks before the sender is believed to have other bytes than it promised. */
const MAX_WRONG_BLOCKS = 8

export interface BlockFetchOptions {
  readonly source: BlockSource
  readonly gate: Gate
  readonly monotonic: Monotonic
  /** Blocks in flight. */
  readonly window: number
  /** Connected silence after which the fetch fails, ms; `Infinity` keeps asking. */
  readonly giveUpMs: number
  readonly signal: AbortSignal
}

export interface BlockJob {
  readonly artifact: Digest
  readonly count: number
  readonly present: Iterable<number>
  /** True when these bytes are that block. */
  verifies(index: number, bytes: Uint8Array): boolean
  write(index: number, bytes: Uint8Array): Promise<void>
  /** After each written block. */
  progress?(remaining: number): void
}

/**
 * Fetches every missing block of one artifact. Ends when all are written; blocks that come twice,
 * late, in any order or not at all are no failure.
 * @throws ArtifactError `wrong-digest`, `download-stalled`, `aborted`, or what `write` throws
 */
export async function fetchBlocks(job: BlockJob, options: BlockFetchOptions): Promise<void> {
  await new BlockFetch(job, options).run()
}

class BlockFetch {
  readonly #job: BlockJob
  readonly #options: BlockFetchOptions
  readonly #window: BlockWindow
  #resolve: () => void = () => {}
  #reject: (reason: unknown) => void = () => {}
  readonly #writes = new Set<Promise<void>>()
  #wrong = 0
  #aliveAt: number

  constructor(job: BlockJob, options: BlockFetchOptions) {
    this.#job = job
    this.#options = options
    this.#window = new BlockWindow(job.count, options.window, job.present)
    this.#aliveAt = options.monotonic()
  }

  async run(): Promise<void> {
    if (this.#window.remaining === 0) return
    const { source, gate, signal } = this.#options
    const ended = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const onAbort = () => this.#reject(abortedError(this.#job.artifact))
    const closers = [
      source.onBlocks(this.#job.artifact, (frame) => this.#land(frame)),
      source.onConnected(() => this.#reconnected()),
      gate.onOpen(() => this.#pump()),
      onInterval(() => this.#tick()),
      () => signal.removeEventListener('abort', onAbort),
    ]
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    this.#pump()
    try {
      await ended
    } finally {
      for (const close of closers) close()
      await Promise.allSettled(this.#writes)
    }
  }

  #pump(): void {
    const { source, gate, monotonic } = this.#options
    if (!source.connected || !gate.open) return
    const blocks = this.#window.next(monotonic())
    for (const want of wantsFor(this.#job.artifact, blocks)) source.want(want)
  }

  #land(frame: BlockFrame): void {
    if (!this.#window.isExpected(frame.index)) return
    const now = this.#options.monotonic()
    if (!this.#job.verifies(frame.index, frame.bytes)) {
      this.#refuse(frame.index)
      return
    }
    this.#aliveAt = now
    this.#window.landed(frame.index, now)
    const write = this.#write(frame)
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
  }

  async #write(frame: BlockFrame): Promise<void> {
    try {
      await this.#job.write(frame.index, frame.bytes)
    } catch (error) {
      this.#reject(error)
      return
    }
    this.#window.settled(frame.index)
    this.#job.progress?.(this.#window.remaining)
    if (this.#window.remaining === 0) this.#resolve()
    else this.#pump()
  }

  #refuse(index: number): void {
    if (!this.#window.rejected(index)) return
    this.#wrong += 1
    if (this.#wrong < MAX_WRONG_BLOCKS) {
      this.#pump()
      return
    }
    const { artifact } = this.#job
    this.#reject(
      new ArtifactError(
        'wrong-digest',
        `${this.#wrong} blocks of artifact ${artifact.slice(0, 12)} do not have the digests its list names; build the variant again`,
        { artifact, wrongBlocks: this.#wrong },
      ),
    )
  }

  #reconnected(): void {
    this.#window.forgetAsked()
    this.#aliveAt = this.#options.monotonic()
    this.#pump()
  }

  #tick(): void {
    const { source, gate, monotonic, giveUpMs } = this.#options
    const now = monotonic()
    if (!source.connected || !gate.open) {
      this.#aliveAt = now
      return
    }
    if (now - this.#aliveAt > giveUpMs) {
      this.#reject(this.#stalled(giveUpMs))
      return
    }
    this.#window.expire(now)
    this.#pump()
  }

  #stalled(giveUpMs: number): ArtifactError {
    const { artifact } = this.#job
    const seconds = Math.round(giveUpMs / 1000)
    return new ArtifactError(
      'download-stalled',
      `no block of artifact ${artifact.slice(0, 12)} came for ${seconds} s although the broker is connected; is the planner running?`,
      { artifact, remainingBlocks: this.#window.remaining },
    )
  }
}

function onInterval(action: () => void): () => void {
  const timer = setInterval(action, TICK_MS)
  return () => clearInterval(timer)
}
