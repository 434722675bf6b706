import type { BrokerLimits } from './limits.ts'

export type PaceLimits = Pick<
  BrokerLimits,
  'framesPerSecond' | 'frameBurst' | 'bytesPerSecond' | 'byteBurst'
>

/**
 * How much of what one client sends is read now; what is over waits in its own socket, and then in its own
 * host. Two buckets that fill with time: frames cost work, bytes cost room.
 */
export class Pace {
  readonly #limits: PaceLimits
  readonly #now: () => number
  #frames: number
  #bytes: number
  #filledAt: number

  /** @param now monotonic ms */
  constructor(limits: PaceLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
    this.#frames = limits.frameBurst
    this.#bytes = limits.byteBurst
    this.#filledAt = now()
  }

  /** Frames that may be read now; none while bytes are owed. */
  get allowance(): number {
    this.#fill()
    return this.#bytes > 0 ? Math.floor(this.#frames) : 0
  }

  /** Bytes may be overdrawn by what one read of the socket brought, and the rest of a frame that began in it. */
  spend(frames: number, bytes: number): void {
    this.#frames -= frames
    this.#bytes -= bytes
  }

  /** Until there is an allowance again, ms. */
  get waitMs(): number {
    const { framesPerSecond, bytesPerSecond } = this.#limits
    const forFrame = (1000 * (1 - this.#frames)) / framesPerSecond
    const forByte = (1000 * (1 - this.#bytes)) / bytesPerSecond
    return Math.max(1, Math.ceil(forFrame), Math.ceil(forByte))
  }

  #fill(): void {
    const { framesPerSecond, frameBurst, bytesPerSecond, byteBurst } = this.#limits
    const seconds = (this.#now() - this.#filledAt) / 1000
    this.#filledAt += 1000 * seconds
    this.#frames = Math.min(frameBurst, this.#frames + seconds * framesPerSecond)
    this.#bytes = Math.min(byteBurst, this.#bytes + seconds * bytesPerSecond)
  }
}
