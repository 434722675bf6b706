import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { FrameGuard, FrameViolation } from './frame-guard.ts'

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

  constructor(socket: Socket, guard: FrameGuard, onViolation: (violation: FrameViolation) => void) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: READ_BUFFER_BYTES,
      writableHighWaterMark: WRITE_BUFFER_BYTES,
    })
    this.socket = socket
    this.#guard = guard
    socket.on('data', (chunk: Buffer) => {
      const violation = guard.inspect(chunk)
      if (violation !== undefined) {
        onViolation(violation)
        this.destroy()
      } else if (!this.push(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  /** The client is let in: larger frames may come. */
  admit(): void {
    this.#guard.admit()
  }

  override _read(): void {
    this.socket.resume()
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
    this.socket.destroy()
    done(error)
  }

  /** A socket that closes instead destroys this stream, which forgets `done`. */
  #whenTaken(taken: boolean, done: Done): void {
    if (taken) done()
    else this.socket.once('drain', done)
  }
}
