import type { BrokerLimits } from './limits.ts'

/** Why a connection is ended: the first three are told of a frame by its header alone. */
export type FrameViolation =
  | 'frame-too-large'
  | 'malformed-length'
  | 'not-connect-first'
  | 'malformed'
  | 'too-many-unreleased'
  | 'too-many-filters'

const CONNECT = 1
/** [MQTT-2.2.3]: the remaining length has at most four bytes. */
const MAX_LENGTH_BYTES = 4

/**
 * MQTT frames out of a byte stream, whatever its chunks. Whether a frame may be is told at its fixed header: before its
 * body is read, let alone kept.
 */
export class FrameReader {
  readonly #limits: Pick<BrokerLimits, 'frameBytes' | 'frameBytesBeforeConnect'>
  #limit: number
  #expectsConnect = true
  /** Begins at a frame. */
  #held: Buffer | undefined

  constructor(limits: Pick<BrokerLimits, 'frameBytes' | 'frameBytesBeforeConnect'>) {
    this.#limits = limits
    this.#limit = limits.frameBytesBeforeConnect
  }

  /** The client is let in. */
  admit(): void {
    this.#limit = this.#limits.frameBytes
  }

  add(chunk: Buffer): void {
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
  }

  /** The next frame with its header; none while it is not all there. */
  next(): Buffer | FrameViolation | undefined {
    const held = this.#held
    const [type] = held ?? []
    if (held === undefined || type === undefined) return undefined
    if (this.#expectsConnect && type >> 4 !== CONNECT) return 'not-connect-first'
    const end = this.#endOf(held)
    if (typeof end === 'string') return end
    if (end === undefined || end > held.length) return undefined
    this.#expectsConnect = false
    this.#held = end === held.length ? undefined : held.subarray(end)
    return held.subarray(0, end)
  }

  /** Where the first frame ends, in bytes; none while its length is not all there. */
  #endOf(held: Buffer): number | FrameViolation | undefined {
    let length = 0
    for (let at = 1; at <= MAX_LENGTH_BYTES; at += 1) {
      const byte = held[at]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * 128 ** (at - 1)
      if (length > this.#limit) return 'frame-too-large'
      if (byte < 0x80) return at + 1 + length
    }
    return 'malformed-length'
  }
}
