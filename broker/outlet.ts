import type { Socket } from 'node:net'

/** Written at a time: so that of a slow link it shows soon whether it takes anything. */
const PIECE_BYTES = 64 * 1024

interface Waiting {
  readonly pieces: readonly Buffer[]
  readonly done: (() => void) | undefined
}

/**
 * What goes out to one client, in order. Whose socket takes nothing for `patienceMs` is given up; whoever waits for it is
 * told when the kernel has the bytes, or when the connection is closed.
 */
export class Outlet {
  readonly #socket: Socket
  readonly #patienceMs: number
  #waiting: Waiting[] = []
  #isWriting = false
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, patienceMs: number) {
    this.#socket = socket
    this.#patienceMs = patienceMs
  }

  write(pieces: readonly Buffer[], done?: () => void): void {
    if (this.#socket.destroyed) {
      done?.()
      return
    }
    this.#waiting.push({ pieces, done })
    if (!this.#isWriting) this.#flush()
  }

  /** The connection is closed: nobody waits any more. */
  end(): void {
    clearTimeout(this.#timer)
    const waiting = this.#waiting
    this.#waiting = []
    for (const { done } of waiting) done?.()
  }

  #flush(): void {
    const now: Waiting[] = []
    let bytes = 0
    for (const one of this.#waiting) {
      now.push(one)
      for (const { length } of one.pieces) bytes += length
      if (bytes >= PIECE_BYTES) break
    }
    this.#isWriting = true
    const pieces = now.flatMap((one) => one.pieces)
    const taken = () => this.#taken(now.length)
    if (pieces.length > 1) this.#socket.cork()
    for (const [i, piece] of pieces.entries()) {
      if (i === pieces.length - 1) this.#socket.write(piece, taken)
      else this.#socket.write(piece)
    }
    if (pieces.length > 1) this.#socket.uncork()
    if (this.#socket.writableLength > 0) this.#wait()
  }

  #taken(count: number): void {
    // Told by the end of the connection.
    if (this.#socket.destroyed) return
    clearTimeout(this.#timer)
    this.#isWriting = false
    for (const { done } of this.#waiting.splice(0, count)) done?.()
    // Who was told may have written.
    if (!this.#isWriting && this.#waiting.length > 0) this.#flush()
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#patienceMs).unref()
  }
}
