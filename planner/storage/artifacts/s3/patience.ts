/** How long an S3 that answers badly, slowly or not at all is waited for. */
export interface Patience {
  /** Of one piece of work. */
  readonly tries: number
  /** First pause at most, ms; it doubles with every try. */
  readonly baseMs: number
  readonly capMs: number
  /** What brings less than `leastBytes` in this time, or no end, is broken off, ms. */
  readonly windowMs: number
  readonly leastBytes: number
  /** After all tries it is left alone for so long, and whoever asks is told at once, ms. */
  readonly restMs: number
}

export const USUAL_PATIENCE: Patience = {
  tries: 5,
  baseMs: 500,
  capMs: 10_000,
  windowMs: 20_000,
  leastBytes: 64 * 1024,
  restMs: 10_000,
}

/** Too little came in time. */
export class SlowError extends Error {}

/** Aborts what stands still: a trickle holds whoever waits as long as silence does. */
export class Pulse {
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  #bytes = 0

  constructor({ windowMs, leastBytes }: Patience) {
    this.#timer = setInterval(() => {
      const isAlive = this.#bytes >= leastBytes
      this.#bytes = 0
      if (isAlive) return
      this.end()
      this.#stop.abort(
        new SlowError(`it was too slow: no end, and next to nothing, in ${windowMs / 1000} s`),
      )
    }, windowMs)
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The same chunks, counted. */
  async *counting(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length
      yield chunk
    }
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
