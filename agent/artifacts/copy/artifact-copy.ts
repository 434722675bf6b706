import type { IncomingMessage } from 'node:http'
import type { Digest } from '../../../shared/digest.ts'
import { readIfPresent, writeDurably } from '../../../shared/durable/index.ts'
import { messageOf, UsageError } from '../../../shared/errors.ts'
import { requireHttpsBeyondLoopback } from '../../../shared/loopback.ts'
import { BLOCK_BYTES } from '../../../shared/messages/index.ts'
import { SerialQueue } from '../../../shared/serial-queue.ts'
import type { BlockFetchOptions, BlockJob } from '../block-fetch.ts'
import { whenOpen } from '../block-source.ts'
import { abortedError } from '../errors.ts'
import { removeFile } from '../partial-file.ts'
import { CopyError } from './errors.ts'
import { brokenOff, RangeClient, type ShownCertificate } from './range-request.ts'

export interface CopyPatience {
  /** Until an answer begins, ms. */
  readonly answerMs: number
  /** For one block to be whole, ms: slower, and the broker is asked. */
  readonly blockMs: number
  /** First pause after a failure, ms; it doubles up to the longest. */
  readonly pauseMs: number
  readonly longestPauseMs: number
}

export const COPY_PATIENCE: CopyPatience = {
  answerMs: 10_000,
  blockMs: 20_000,
  pauseMs: 60_000,
  longestPauseMs: 3_600_000,
}

/** Times that a download goes on where its connection ended. */
const MOST_CUTS = 4

export interface CopyOptions {
  readonly log: { warn(details: object, message: string): void }
  readonly patience?: CopyPatience
  /** A file that remembers where it lies: a download goes on before the planner is heard again. Default: none. */
  readonly keptIn?: string
  /** Read anew for every download: certificates are renewed. */
  shown?(): ShownCertificate | undefined
}

/** An artifact, of which blocks are missing. */
export interface CopyJob extends BlockJob {
  readonly bytes: number
}

type PullOptions = Pick<BlockFetchOptions, 'gate' | 'monotonic' | 'signal'>

/**
 * A copy of the planner's artifacts behind HTTPS, for devices that may fetch past the broker. Nothing depends on it: what
 * it does not give comes from the broker, and no byte of it is believed that the signed list does not name.
 */
export class ArtifactCopy {
  readonly #options: CopyOptions
  readonly #patience: CopyPatience
  readonly #keeping = new SerialQueue()
  #url: URL | undefined
  #said: string | undefined
  #failures = 0
  #asksAgainAt = Number.NEGATIVE_INFINITY

  constructor(options: CopyOptions) {
    this.#options = options
    this.#patience = options.patience ?? COPY_PATIENCE
  }

  /** What the planner said before this process began. */
  async recall(): Promise<void> {
    const { keptIn } = this.#options
    const kept = keptIn && (await readIfPresent(keptIn).catch(() => undefined))
    if (kept) this.#lies(kept.toString('utf8'))
  }

  /** Where the planner says it lies; undefined: nowhere. */
  liesAt(said: string | undefined): void {
    if (said === this.#said) return
    this.#lies(said)
    const { keptIn } = this.#options
    if (keptIn === undefined) return
    const keep = () => (said === undefined ? removeFile(keptIn) : writeDurably(keptIn, said))
    // What cannot be kept is heard again.
    this.#keeping.run(keep).catch(() => {})
  }

  #lies(said: string | undefined): void {
    this.#said = said
    this.#failures = 0
    this.#asksAgainAt = Number.NEGATIVE_INFINITY
    try {
      if (said !== undefined) requireHttpsBeyondLoopback(said, 'the copy of artifacts')
      this.#url = said === undefined ? undefined : new URL(said)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      this.#url = undefined
      this.#options.log.warn({}, `not used: ${error.message}`)
    }
  }

  /**
   * Fetches missing blocks in whole runs, and answers which blocks are here then: not all, where it failed.
   * @throws ArtifactError `aborted`, or what `write` throws
   */
  async pull(job: CopyJob, options: PullOptions): Promise<ReadonlySet<number>> {
    const here = new Set(job.present)
    const url = this.#url
    const isAsked = url !== undefined && options.monotonic() >= this.#asksAgainAt
    if (!isAsked || here.size === job.count) return here
    const client = new RangeClient(url, this.#options.shown?.())
    try {
      await this.#pullAll(job, here, client, options)
      this.#failures = 0
    } catch (error) {
      if (options.signal.aborted) throw abortedError(job.artifact)
      if (!(error instanceof CopyError)) throw error
      this.refused(job.artifact, error, options.monotonic())
    } finally {
      client.close()
    }
    return here
  }

  /** It gave what cannot be used, or nothing: the broker is asked instead, and for some time only the broker. */
  refused(artifact: Digest, error: CopyError, now: number): void {
    const { pauseMs, longestPauseMs } = this.#patience
    const ceiling = Math.min(longestPauseMs, pauseMs * 2 ** Math.min(this.#failures, 20))
    // A fleet that lost its copy together does not come back together.
    const pause = Math.max(error.retryAfterMs, ceiling * (0.5 + Math.random() / 2))
    this.#failures += 1
    this.#asksAgainAt = now + pause
    this.#options.log.warn(
      { copy: this.#url?.host, artifact: artifact.slice(0, 12), pauseMs: Math.round(pause) },
      `the copy of artifacts ${messageOf(error)}: the broker is asked instead, and the copy again in ${Math.round(pause / 1000)} s`,
    )
  }

  async #pullAll(
    job: CopyJob,
    here: Set<number>,
    client: RangeClient,
    options: PullOptions,
  ): Promise<void> {
    let cuts = 0
    while (here.size < job.count) {
      await whenOpen(options.gate, options.signal)
      const before = here.size
      try {
        await this.#pullRun(job, here, client, options)
      } catch (error) {
        const goesOn = error instanceof CopyError && error.isCut && here.size > before
        cuts += 1
        if (!goesOn || cuts > MOST_CUTS) throw error
      }
    }
  }

  /** The first run of missing blocks; what it brings beside them is let go. */
  async #pullRun(
    job: CopyJob,
    here: Set<number>,
    client: RangeClient,
    { gate, signal }: PullOptions,
  ): Promise<void> {
    const { artifact, bytes } = job
    const { first, last } = firstRun(here, job.count)
    const from = first * BLOCK_BYTES
    const to = Math.min((last + 1) * BLOCK_BYTES, bytes) - 1
    const watch = new Watch(signal)
    try {
      watch.expect(this.#patience.answerMs, 'does not answer')
      const path = `${artifact.slice(0, 2)}/${artifact}`
      const answer = await client.ask(path, { from, to, bytes }, watch.signal)
      let index = answer.from / BLOCK_BYTES
      watch.expect(this.#patience.blockMs, 'is too slow')
      for await (const block of blocksOf(answer.body, answer.to + 1 - answer.from)) {
        if (!here.has(index)) await take(job, here, index, block)
        if (!gate.open) return
        index += 1
        watch.expect(this.#patience.blockMs, 'is too slow')
      }
    } catch (error) {
      throw watch.why ?? error
    } finally {
      watch.close()
    }
  }
}

async function take(
  job: CopyJob,
  here: Set<number>,
  index: number,
  block: Uint8Array,
): Promise<void> {
  if (!job.verifies(index, block)) throw new CopyError(`has other bytes in block ${index}`)
  await job.write(index, block)
  here.add(index)
  job.progress?.(job.count - here.size)
}

/** Whole blocks, and what is left at the end; each holds until the next one is asked for. @throws CopyError */
async function* blocksOf(body: IncomingMessage, bytes: number): AsyncGenerator<Uint8Array> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let left = bytes
  let filled = 0
  const parts = body[Symbol.asyncIterator]()
  try {
    while (left > 0) {
      const { value: part, done } = await nextOf(parts)
      if (done) throw new CopyError('ends too early', { isCut: true })
      for (let at = 0; at < part.length && left > 0; ) {
        const copied = part.copy(block, filled, at, at + Math.min(left, BLOCK_BYTES - filled))
        at += copied
        filled += copied
        left -= copied
        if (filled < BLOCK_BYTES && left > 0) continue
        yield block.subarray(0, filled)
        filled = 0
      }
    }
    // Read to its end, the connection serves the next range; an end that was not announced may never come.
    if (body.headers['content-length'] !== undefined) await nextOf(parts)
  } finally {
    await parts.return?.()
  }
}

async function nextOf(parts: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await parts.next()
  } catch (error) {
    throw brokenOff(error)
  }
}

function firstRun(here: ReadonlySet<number>, count: number): { first: number; last: number } {
  let first = 0
  while (here.has(first)) first += 1
  let last = first
  while (last + 1 < count && !here.has(last + 1)) last += 1
  return { first, last }
}

/** Ends a request that the caller has given up, or that took longer than what was expected of it. */
class Watch {
  readonly #ends = new AbortController()
  readonly signal: AbortSignal
  #timer: NodeJS.Timeout | undefined
  /** Why it was ended here. */
  why: CopyError | undefined

  constructor(leaving: AbortSignal) {
    this.signal = AbortSignal.any([leaving, this.#ends.signal])
  }

  expect(ms: number, otherwise: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.why = new CopyError(otherwise)
      this.#ends.abort()
    }, ms)
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
