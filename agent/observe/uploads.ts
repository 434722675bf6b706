import type { Digest } from '../../shared/digest.ts'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import {
  BLOCK_BYTES,
  MOST_CAPTURED,
  type OrderOf,
  printBlockFrame,
  type ReportOf,
} from '../../shared/messages/index.ts'
import type { Log } from '../link/index.ts'
import type { CapturedSamples } from './captured.ts'

export interface UploadOptions {
  /** Absent: nothing of this device is to be sent, whoever asks for it. */
  readonly captured: CapturedSamples | undefined
  /** Between two looks for samples to tell of, ms. */
  readonly everyMs: number
  readonly clock: { monotonic(): number; now(): Date }
  readonly log: Log
  /** Best effort: what is not heard is told again. */
  tell(report: ReportOf<'captured'>): void
  /** One block; false where nobody takes it. */
  send(frame: Buffer): Promise<boolean>
  /** A model is being measured: who asks meanwhile asks again. */
  isBusy(): boolean
}

/** What was told of and is still here is told again after so long, ms. */
const AGAIN_MS = 600_000

/**
 * Tells the planner of samples that are kept here, a few at a time, and sends the blocks that it asks for. It asks in its own
 * order and at its own pace, and begins where it ended: nothing is remembered on this side but what it wants no more of.
 */
export class SampleUploads {
  readonly #options: UploadOptions
  readonly #told = new Map<Digest, number>()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> = Promise.resolve()

  constructor(options: UploadOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), this.#options.everyMs).unref()
  }

  /** A new connection: what was told on an older one may be lost. */
  connected(): void {
    this.#told.clear()
    void this.#look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sending
  }

  collect(order: OrderOf<'collect'>): void {
    this.#sending = this.#sending.then(() => this.#send(order).catch((error) => this.#warn(error)))
  }

  async collected({ samples }: OrderOf<'collected'>): Promise<void> {
    await this.#options.captured?.markSent(samples).catch((error) => this.#warn(error))
    for (const digest of samples) this.#told.delete(digest)
    await this.#look()
  }

  async #look(): Promise<void> {
    const { captured } = this.#options
    if (!captured) return
    try {
      for (const model of await captured.models()) await this.#tellOf(captured, model)
    } catch (error) {
      this.#warn(error)
    }
  }

  async #tellOf(captured: CapturedSamples, model: string): Promise<void> {
    const { clock, tell } = this.#options
    const now = clock.monotonic()
    const isDue = ({ digest }: { readonly digest: Digest }) =>
      now - (this.#told.get(digest) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS
    const due = (await captured.unsent(model, MOST_CAPTURED)).filter(isDue)
    if (due.length === 0) return
    for (const { digest } of due) this.#told.set(digest, now)
    tell(this.#report(model, { samples: due.map(({ digest, bytes }) => ({ digest, bytes })) }))
  }

  async #send({ model, sample, from, blocks }: OrderOf<'collect'>): Promise<void> {
    const { captured, isBusy, send, tell } = this.#options
    if (isBusy()) return
    const bytes = await captured?.read(model, sample, from * BLOCK_BYTES, blocks * BLOCK_BYTES)
    if (bytes === undefined) return tell(this.#report(model, { gone: [sample] }))
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const index = from + at / BLOCK_BYTES
      const frame = printBlockFrame(sample, index, bytes.subarray(at, at + BLOCK_BYTES))
      if (!(await send(frame))) return
    }
  }

  #report(
    model: string,
    { samples = [], gone = [] }: Partial<Pick<ReportOf<'captured'>, 'samples' | 'gone'>>,
  ): ReportOf<'captured'> {
    const at = this.#options.clock.now().toISOString()
    return { v: 1, id: newId(), at, kind: 'captured', model, samples, gone }
  }

  #warn(error: unknown): void {
    this.#options.log.warn(`samples are not sent: ${messageOf(error)}`)
  }
}
