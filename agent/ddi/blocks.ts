import { setTimeout as sleep } from 'node:timers/promises'
import { type BackoffOptions, pauseMs } from '../../shared/backoff.ts'
import type { Digest } from '../../shared/digest.ts'
import {
  BLOCK_BYTES,
  type BlockFrame,
  framePrefix,
  type Want,
  wantedBlocks,
} from '../../shared/messages/index.ts'
import type { BlockSource } from '../artifacts/index.ts'
import type { DdiApi } from './api.ts'
import { DdiError } from './errors.ts'

/** Where an artifact lies at hawkBit. */
export interface Lying {
  readonly url: string
  readonly bytes: number
}

/**
 * Artifacts of a deployment as blocks, by HTTP ranges: what is on disk of an earlier attempt is not asked for again, and
 * each block is held against the signed list as it comes.
 */
export class DdiBlocks implements BlockSource {
  readonly #api: DdiApi
  readonly #lying: ReadonlyMap<Digest, Lying>
  readonly #backoff: BackoffOptions
  readonly #listeners = new Map<string, Set<(frame: BlockFrame) => void>>()
  readonly #onConnected = new Set<() => void>()
  readonly #failed = new AbortController()
  #wants: Want[] = []
  #isAtWork = false
  #failures = 0
  connected = true

  constructor(api: DdiApi, lying: ReadonlyMap<Digest, Lying>, backoff: BackoffOptions) {
    this.#api = api
    this.#lying = lying
    this.#backoff = backoff
  }

  /** Aborted where asking again does not help; its reason is a DdiError. */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  want(want: Want): void {
    this.#wants.push(want)
    if (!this.#isAtWork) void this.#work()
  }

  onBlocks(artifact: Digest, listener: (frame: BlockFrame) => void): () => void {
    const prefix = framePrefix(artifact)
    const all = this.#listeners.get(prefix) ?? new Set()
    this.#listeners.set(prefix, all.add(listener))
    return () => all.delete(listener)
  }

  onConnected(listener: () => void): () => void {
    this.#onConnected.add(listener)
    return () => this.#onConnected.delete(listener)
  }

  async #work(): Promise<void> {
    this.#isAtWork = true
    try {
      for (let want = this.#wants.shift(); want !== undefined; want = this.#wants.shift()) {
        await this.#answer(want)
      }
      this.#isAtWork = false
    } catch (error) {
      this.#wants = []
      await this.#recover(error)
    }
  }

  async #answer(want: Want): Promise<void> {
    const lying = this.#lying.get(want.artifact)
    if (lying === undefined) {
      const name = want.artifact.slice(0, 12)
      throw new DdiError('no-shipment', `file ${name} is not among those of the deployment`)
    }
    for (const { first, last } of runsOf(wantedBlocks(want))) {
      const end = Math.min((last + 1) * BLOCK_BYTES, lying.bytes)
      if (end <= first * BLOCK_BYTES) throw shorter(want.artifact)
      let index = first
      let kept = Buffer.alloc(0)
      for await (const part of this.#api.range(lying.url, first * BLOCK_BYTES, end - 1)) {
        kept = Buffer.concat([kept, part])
        while (kept.length >= BLOCK_BYTES) {
          this.#hand(want.artifact, { index, bytes: kept.subarray(0, BLOCK_BYTES) })
          kept = kept.subarray(BLOCK_BYTES)
          index += 1
          this.#failures = 0
        }
      }
      if (kept.length > 0) this.#hand(want.artifact, { index, bytes: kept })
      this.#failures = 0
    }
  }

  #hand(artifact: Digest, frame: Omit<BlockFrame, 'prefix'>): void {
    const prefix = framePrefix(artifact)
    for (const listener of this.#listeners.get(prefix) ?? []) listener({ prefix, ...frame })
  }

  async #recover(error: unknown): Promise<void> {
    if (!(error instanceof DdiError) || !error.isPassing) {
      this.#failed.abort(error)
      return
    }
    this.connected = false
    this.#failures += 1
    const pause = Math.max(pauseMs(this.#failures, this.#backoff), error.retryAfterMs ?? 0)
    await sleep(pause, undefined, { ref: false })
    this.#isAtWork = false
    this.connected = true
    for (const listener of [...this.#onConnected]) listener()
  }
}

function shorter(artifact: Digest): DdiError {
  const name = artifact.slice(0, 12)
  return new DdiError('hawkbit-answer', `file ${name} is shorter at hawkBit than it was released`)
}

/** Neighbours among blocks that ascend. */
function runsOf(blocks: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = []
  for (const block of blocks) {
    const run = runs.at(-1)
    if (run !== undefined && run.last + 1 === block) run.last = block
    else runs.push({ first: block, last: block })
  }
  return runs
}
