import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { FrameGuard, FrameViolation } from './frame-guard.ts'
import type { Pace } from './pace.ts'

type Done = (error?: Error | null) => void

/** Small, so that a write is called done when the kernel has taken it. */
const WRITE_BUFFER_BYTES = 16 * 1024
const READ_BUFFER_BYTES = 64 * 1024

/**
 * The stream the broker sees instead of the socket: what passes has been seen by the guard. A
 * violation ends the connection at once, with none of the frame kept.
 */
export class GuardedConnection extends Duplex {
  readonly socket: Socket
  readonly #guard: FrameGuard
  readonly #onViolation: (violation: FrameViolation) => void
  #pace: Pace | undefined
  /** Came, and may not be read yet. At most what one read of the socket brings: it is paused meanwhile. */
  #held: Buffer | undefined
  #timer: NodeJS.Timeout | undefined
  #isFull = false
  #isOver = false

  constructor(
    socket: Socket,
    guard: FrameGuard,
    pace: Pace,
    onViolation: (violation: FrameViolation) => void,
  ) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: READ_BUFFER_BYTES,
      writableHighWaterMark: WRITE_BUFFER_BYTES,
    })
    this.socket = socket
    this.#guard = guard
    this.#pace = pace
    this.#onViolation = onViolation
    socket.on('data', (chunk: Buffer) => {
      this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
      this.#pass()
    })
    socket.on('end', () => {
      this.#isOver = true
      this.#pass()
    })
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  /** The client is let in: larger frames may come; a planner's as fast as they can. */
  admit(isPaced: boolean): void {
    this.#guard.admit()
    if (!isPaced) this.#pace = undefined
  }

  override _read(): void {
    this.#isFull = false
    if (this.#timer === undefined) this.#pass()
  }

  /** Hands on what came, as far as guard, pace and reader let it. */
  #pass(): void {
    while (this.#held !== undefined && !this.#isFull) {
      const most = this.#pace?.allowance ?? Number.POSITIVE_INFINITY
      if (most < 1) {
        this.#waitForPace()
        return
      }
      const inspected = this.#guard.inspect(this.#held, most)
      if (inspected.violation !== undefined) {
        this.#held = undefined
        this.#onViolation(inspected.violation)
        this.destroy()
        return
      }
      const { bytes, frames } = inspected
      this.#pace?.spend(frames, bytes)
      const piece = this.#held.subarray(0, bytes)
      this.#held = bytes < this.#held.length ? this.#held.subarray(bytes) : undefined
      this.#isFull = !this.push(piece)
    }
    if (this.#held !== undefined || this.#isFull) this.socket.pause()
    else if (this.#isOver) this.#end()
    else this.socket.resume()
  }

  #end(): void {
    this.#isOver = false
    this.push(null)
  }

  #waitForPace(): void {
    this.socket.pause()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#pass()
    }, this.#pace?.waitMs)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#whenTaken(this.socket.write(chunk), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.socket.cork()
    let taken = true
    for (const { chunk } of chunks) taken = this.socket.write(chunk)
    this.socket.uncork()
    this.#whenTaken(taken, done)
  }

  override _final(done: Done): void {
    this.socket.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#timer)
    this.#held = undefined
    this.socket.destroy()
    done(error)
  }

  /** A socket that closes instead destroys this stream, which forgets `done`. */
  #whenTaken(taken: boolean, done: Done): void {
    if (taken) done()
    else this.socket.once('drain', done)
  }
}
