import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { Want } from '../../shared/messages/index.ts'
import { SparseLog } from '../../shared/sparse-log.ts'
import { type PlannedBlock, planBlocks } from './block-plan.ts'
import { type ByteAccount, ByteBudget } from './byte-budget.ts'
import { FramedBlocks } from './framed-blocks.ts'
import type { FleetLimits } from './limits.ts'
import { type OpenArtifact, OpenArtifacts } from './open-artifacts.ts'
import { Pace } from './pace.ts'
import type { FleetStore } from './store.ts'

export interface BlockServerContext {
  readonly store: Pick<FleetStore, 'mayFetch' | 'openArtifact'>
  readonly send: (device: string, frame: Uint8Array) => Promise<void>
  readonly limits: FleetLimits
  readonly log: Logger
}

const now = () => performance.now()

interface Queue {
  readonly wants: Want[]
  readonly account: ByteAccount
  /** The device went away: what is queued and planned for it is not wanted any more. */
  cancelled: boolean
}

/**
 * Answers wants with blocks, each device at its own pace. Nothing is promised: a want that is dropped,
 * or a block that is lost, is asked for again.
 */
export class BlockServer {
  readonly #context: BlockServerContext
  readonly #files: OpenArtifacts
  readonly #framed: FramedBlocks
  readonly #budget: ByteBudget
  readonly #queues = new Map<string, Queue>()
  readonly #refusals: SparseLog
  readonly #pace: Pace
  readonly #paces = new Map<string, Pace>()

  constructor(context: BlockServerContext) {
    const { limits, store } = context
    this.#context = context
    this.#files = new OpenArtifacts(limits.openFiles, (artifact) => store.openArtifact(artifact))
    this.#framed = new FramedBlocks(limits.framedBytes)
    this.#refusals = new SparseLog(context.log)
    this.#pace = new Pace(limits.bytesPerSecond, now)
    this.#budget = new ByteBudget(limits.inflightBytesPerDevice, limits.inflightBytes)
  }

  want(device: string, want: Want): void {
    const queue = this.#queues.get(device)
    if (queue === undefined) {
      const started: Queue = { wants: [want], account: this.#budget.open(), cancelled: false }
      this.#queues.set(device, started)
      void this.#serve(device, started)
      return
    }
    const isRepeated = queue.wants.some(({ id }) => id === want.id)
    if (isRepeated || queue.wants.length >= this.#context.limits.wants) {
      this.#context.log.debug({ device, want: want.id }, 'dropped a want')
      return
    }
    queue.wants.push(want)
  }

  cancel(device: string): void {
    const queue = this.#queues.get(device)
    if (queue === undefined) return
    queue.cancelled = true
    this.#queues.delete(device)
  }

  async close(): Promise<void> {
    for (const device of [...this.#queues.keys()]) this.cancel(device)
    await this.#files.close()
  }

  async #serve(device: string, queue: Queue): Promise<void> {
    for (let want = queue.wants.shift(); want !== undefined; want = queue.wants.shift()) {
      if (queue.cancelled) return
      try {
        await this.#answer(device, queue, want)
      } catch (error) {
        const { artifact } = want
        this.#context.log.error(
          { device, artifact, reason: messageOf(error) },
          'cannot send blocks',
        )
      }
    }
    if (this.#queues.get(device) === queue) this.#queues.delete(device)
  }

  async #answer(device: string, queue: Queue, want: Want): Promise<void> {
    const { log, store } = this.#context
    const { artifact } = want
    if (!(await store.mayFetch(device, artifact))) {
      this.#refusals.warn({ device, artifact }, 'refused blocks: no open order names them')
      return
    }
    if (queue.cancelled) return
    const file = await this.#files.acquire(artifact)
    if (file === undefined) {
      log.error({ device, artifact }, 'cannot send blocks: the artifact is not in the store')
      return
    }
    const sends: Promise<void>[] = []
    try {
      for (const block of planBlocks(want, file.bytes)) {
        await queue.account.take(block.bytes)
        await this.#inTurn(device, block.bytes)
        sends.push(this.#sendBlock(device, queue, want, file, block))
      }
    } finally {
      // The next want need not wait for the last block of this one to leave.
      void Promise.allSettled(sends).then(() => file.release())
    }
  }

  /** At the pace of this device, and at that of all. */
  async #inTurn(device: string, bytes: number): Promise<void> {
    const { bytesPerSecondPerDevice } = this.#context.limits
    const own = this.#paces.get(device) ?? new Pace(bytesPerSecondPerDevice, now)
    this.#paces.set(device, own)
    const waitMs = Math.max(own.reserve(bytes), this.#pace.reserve(bytes))
    if (waitMs >= 1) await sleep(waitMs)
  }

  async #sendBlock(
    device: string,
    queue: Queue,
    want: Want,
    file: OpenArtifact,
    planned: PlannedBlock,
  ): Promise<void> {
    try {
      if (queue.cancelled) return
      const wrapping = {
        isPacked: want.packed ?? false,
        pieceBytes: this.#context.limits.pieceBytes,
      }
      const frames = await this.#framed.frames(want.artifact, planned, file, wrapping)
      await Promise.all(frames.map((frame) => this.#context.send(device, frame)))
    } catch (error) {
      this.#giveUp(device, queue, error)
    } finally {
      queue.account.give(planned.bytes)
    }
  }

  /** Once: every block that was under way fails with the first. */
  #giveUp(device: string, queue: Queue, error: unknown): void {
    if (queue.cancelled) return
    queue.cancelled = true
    if (this.#queues.get(device) === queue) this.#queues.delete(device)
    this.#context.log.warn({ device, reason: messageOf(error) }, 'gave up sending blocks')
  }
}
