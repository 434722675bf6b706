import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import {
  BLOCK_BYTES,
  type BlockFrame,
  framePrefix,
  MOST_COLLECTED_BLOCKS,
  type Order,
} from '../../shared/messages/index.ts'
import type { FleetLimits } from './limits.ts'
import type { CollectedSample, SampleDesk } from './store.ts'
import type { Turns } from './turns.ts'

export interface SampleCollectorContext {
  readonly device: string
  readonly desk: SampleDesk
  send(order: Order): Promise<void>
  /** Its turn among all devices. */
  readonly turns: Turns
  readonly limits: Pick<FleetLimits, 'collectMs' | 'noRoomMs' | 'retryMs' | 'longestRetryMs'>
  readonly log: Logger
  /** What was sent is nothing that was asked for, or not what it should be. */
  onGarbage(reason: string): void
}

/** What was asked for and has not come. */
interface Waiting {
  readonly sample: CollectedSample
  /** Bytes that came, in their order. */
  here: number
  /** The last byte of this question. */
  readonly until: number
  /** Why no more is taken of it. */
  failure?: 'no-room' | 'silent'
  readonly silence: NodeJS.Timeout
  resolve(): void
}

/** `nothing`: nothing is left to collect. */
type Outcome = 'settled' | 'nothing' | 'silent' | 'no-room'

/**
 * Asks one device for its samples, one after another and a few blocks at a time, in their order: what came is on disk, so a
 * device or a planner that went away goes on where it ended. What was not asked for is dropped before anybody looks at it.
 */
export class SampleCollector {
  readonly #context: SampleCollectorContext
  #waiting: Waiting | undefined
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #pauseMs: number
  #running = false
  #again = false
  #stopped = true

  constructor(context: SampleCollectorContext) {
    this.#context = context
    this.#pauseMs = context.limits.retryMs
  }

  /** There may be something to collect, and the device is there. */
  nudge(): void {
    this.#stopped = false
    if (this.#running) this.#again = true
    else if (this.#timer === undefined) void this.#run()
  }

  /** A session began: whoever was silent may answer now. */
  begin(): void {
    this.#pauseMs = this.#context.limits.retryMs
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.nudge()
  }

  take(frame: BlockFrame): void {
    const waiting = this.#waiting
    if (!waiting) return
    const { sample } = waiting
    const position = frame.index * BLOCK_BYTES
    // Of an earlier question, or twice.
    if (frame.prefix !== framePrefix(sample.digest) || position < waiting.here) return
    const expected = Math.min(BLOCK_BYTES, sample.bytes - waiting.here)
    if (position !== waiting.here || frame.bytes.length !== expected) {
      const what = `block ${frame.index} with ${frame.bytes.length} bytes`
      const asked = `block ${waiting.here / BLOCK_BYTES} with ${expected}`
      // One that is lost leaves a gap: it is asked for again, and no fault of the device.
      if (position <= waiting.here) this.#context.onGarbage(`${what}, where ${asked} was asked for`)
      return
    }
    waiting.here += expected
    waiting.silence.refresh()
    this.#writing = this.#writing.then(() => this.#write(waiting, position, frame.bytes))
  }

  /** The session ended: what is under way is asked for in the next one. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting?.resolve()
  }

  async #write(waiting: Waiting, position: number, bytes: Uint8Array): Promise<void> {
    if (waiting.failure) return
    const { desk, device, log } = this.#context
    try {
      if (!(await desk.append(device, waiting.sample, position, bytes))) waiting.failure = 'no-room'
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'a sample cannot be written')
      waiting.failure = 'silent'
    }
    if (waiting.failure || waiting.here >= waiting.until) waiting.resolve()
  }

  async #run(): Promise<void> {
    this.#running = true
    let outcome: Outcome
    do {
      this.#again = false
      outcome = await this.#look()
    } while (!this.#stopped && (outcome === 'settled' || (this.#again && outcome === 'nothing')))
    this.#running = false
    if (!this.#stopped && outcome !== 'nothing') this.#tryLater(outcome)
  }

  #tryLater(outcome: Outcome): void {
    const { limits } = this.#context
    const pauseMs = outcome === 'no-room' ? limits.noRoomMs : this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, limits.longestRetryMs)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#run()
    }, pauseMs).unref()
  }

  /** Nearly all devices have nothing: they take nobody's turn. */
  async #look(): Promise<Outcome> {
    const { desk, device, turns, log } = this.#context
    try {
      if (!(await desk.concerns(device))) return 'nothing'
      return await turns.take(() => this.#collectOne())
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'samples are collected later')
      return 'silent'
    }
  }

  async #collectOne(): Promise<Outcome> {
    const { desk, device, limits } = this.#context
    const sample = await desk.next(device)
    // What was settled a moment ago, and what is refused unseen.
    await this.#tellSettled()
    if (sample === undefined) return 'nothing'
    if (sample === 'no-room') return 'no-room'
    const outcome = await this.#collect(sample)
    if (outcome === 'settled') this.#pauseMs = limits.retryMs
    return outcome
  }

  async #tellSettled(): Promise<void> {
    const { desk, device } = this.#context
    const samples = [...(await desk.untold(device))]
    if (samples.length === 0) return
    const isSent = await this.#send({ v: 1, id: newId(), kind: 'collected', samples })
    if (isSent) await desk.told(device, samples)
  }

  async #collect(sample: CollectedSample): Promise<Outcome> {
    const { desk, device, onGarbage } = this.#context
    for (let { here } = sample; here < sample.bytes; ) {
      const { failure, here: came } = await this.#ask(sample, here)
      if (failure || came === here || this.#stopped) return failure ?? 'silent'
      here = came
    }
    const problem = await desk.finish(device, sample)
    if (problem !== undefined) onGarbage(`a sample of ${sample.model}: ${problem}`)
    return 'settled'
  }

  /** Asks for the next blocks, and waits until they came or nothing more does. */
  async #ask(sample: CollectedSample, here: number): Promise<Waiting> {
    const { limits } = this.#context
    const from = here / BLOCK_BYTES
    const blocks = Math.min(MOST_COLLECTED_BLOCKS, Math.ceil((sample.bytes - here) / BLOCK_BYTES))
    const until = Math.min(sample.bytes, here + blocks * BLOCK_BYTES)
    let resolve = () => {}
    const answered = new Promise<void>((settle) => {
      resolve = settle
    })
    const silence = setTimeout(() => resolve(), limits.collectMs)
    const waiting: Waiting = { sample, here, until, silence, resolve }
    this.#waiting = waiting
    try {
      const { model, digest } = sample
      const asked = { model, sample: digest, from, blocks }
      const isSent = await this.#send({ v: 1, id: newId(), kind: 'collect', ...asked })
      if (isSent) await answered
      else waiting.failure = 'silent'
    } finally {
      clearTimeout(silence)
      this.#waiting = undefined
      await this.#writing
    }
    return waiting
  }

  /** False where the device is not there: it is asked in its next session. */
  async #send(order: Order): Promise<boolean> {
    try {
      await this.#context.send(order)
      return true
    } catch (error) {
      this.#context.log.debug({ reason: messageOf(error) }, 'a question for samples is not sent')
      return false
    }
  }
}
