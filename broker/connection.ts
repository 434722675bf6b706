import type { Socket } from 'node:net'
import { FrameReader, type FrameViolation } from './frames.ts'
import type { BrokerLimits } from './limits.ts'
import { Pace } from './pace.ts'

/** Who reads the frames of a connection. */
export interface FrameTaker {
  frame(bytes: Buffer): void
  /** Once: the socket is closed, by whomever. */
  gone(): void
}

/**
 * A socket whose frames come whole, one by one, as fast as its pace and whoever takes them allow; what is over waits in
 * the socket. A violation ends the connection at once, with none of the frame kept.
 */
export class Connection {
  readonly socket: Socket
  readonly #reader: FrameReader
  readonly #onViolation: (violation: FrameViolation) => void
  #pace: Pace | undefined
  #taker: FrameTaker
  /** Came, and may not be taken yet. */
  #next: Buffer | undefined
  #timer: NodeJS.Timeout | undefined
  #isHeld = false
  /** The client says no more. */
  #isOver = false

  constructor(
    socket: Socket,
    limits: BrokerLimits,
    taker: (connection: Connection) => FrameTaker,
    onViolation: (violation: FrameViolation) => void,
  ) {
    this.socket = socket
    this.#reader = new FrameReader(limits)
    this.#pace = new Pace(limits)
    this.#onViolation = onViolation
    this.#taker = taker(this)
    socket.on('data', (chunk: Buffer) => {
      this.#reader.add(chunk)
      this.#pass()
    })
    socket.on('end', () => {
      this.#isOver = true
      this.#pass()
    })
    // Told by the close that follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(this.#timer)
      this.#next = undefined
      this.#taker.gone()
    })
  }

  get isClosed(): boolean {
    return this.socket.destroyed
  }

  /** The client is let in, and this one takes its frames: larger ones may come; a planner's as fast as they can. */
  admit(taker: FrameTaker, { isLarge, isPaced }: { isLarge: boolean; isPaced: boolean }): void {
    this.#taker = taker
    if (isLarge) this.#reader.admit()
    if (!isPaced) this.#pace = undefined
  }

  /** No more frames until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#pass()
  }

  /** Of what the frame holds, or of where it stands. */
  violate(violation: FrameViolation): void {
    if (this.isClosed) return
    this.#onViolation(violation)
    this.close()
  }

  close(): void {
    this.socket.destroy()
  }

  #pass(): void {
    while (!this.#isHeld && this.#timer === undefined && !this.isClosed) {
      const next = this.#next ?? this.#reader.next()
      if (next === undefined) break
      if (typeof next === 'string') {
        this.violate(next)
        return
      }
      this.#next = next
      if (this.#pace !== undefined && this.#pace.allowance < 1) {
        this.#waitForPace(this.#pace.waitMs)
        break
      }
      this.#next = undefined
      this.#pace?.spend(1, next.length)
      this.#taker.frame(next)
    }
    if (this.#isHeld || this.#timer !== undefined) this.socket.pause()
    else if (this.#isOver) this.socket.destroySoon()
    else if (this.socket.isPaused()) this.socket.resume()
  }

  #waitForPace(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#pass()
    }, ms)
  }
}
