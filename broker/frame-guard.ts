import type { BrokerLimits } from './limits.ts'

export type FrameViolation = 'frame-too-large' | 'malformed-length' | 'not-connect-first'

export type Inspected =
  | { readonly violation: FrameViolation }
  /** Bytes that may pass, and frames that began in them. */
  | { readonly violation?: undefined; readonly bytes: number; readonly frames: number }

const CONNECT = 1
/** [MQTT-2.2.3]: the remaining length has at most four bytes. */
const MAX_LENGTH_BYTES = 4

/**
 * Follows MQTT frame boundaries through a byte stream, whatever its chunks, and tells at a frame's
 * fixed header whether the frame may be: before its body is read, let alone kept.
 */
export class FrameGuard {
  readonly #limits: Pick<BrokerLimits, 'frameBytes' | 'frameBytesBeforeConnect'>
  #limit: number
  #expectConnect = true
  /** Bytes of the frame's body still to come; its fixed header is next when 0. */
  #body = 0
  #lengthBytes = 0
  #length = 0
  #inHeader = false

  constructor(limits: Pick<BrokerLimits, 'frameBytes' | 'frameBytesBeforeConnect'>) {
    this.#limits = limits
    this.#limit = limits.frameBytesBeforeConnect
  }

  /** The client is let in. */
  admit(): void {
    this.#limit = this.#limits.frameBytes
  }

  /** Reads on until the chunk ends, or another frame would begin that may not yet. */
  inspect(chunk: Uint8Array, mostFrames = Number.POSITIVE_INFINITY): Inspected {
    let at = 0
    let frames = 0
    while (at < chunk.length) {
      if (this.#body > 0) {
        const skipped = Math.min(this.#body, chunk.length - at)
        this.#body -= skipped
        at += skipped
        continue
      }
      if (!this.#inHeader && frames >= mostFrames) break
      const byte = chunk[at] as number
      if (!this.#inHeader) frames += 1
      const violation = this.#inHeader ? this.#takeLength(byte) : this.#takeType(byte)
      if (violation !== undefined) return { violation }
      at += 1
    }
    return { bytes: at, frames }
  }

  #takeType(byte: number): FrameViolation | undefined {
    if (this.#expectConnect && byte >> 4 !== CONNECT) return 'not-connect-first'
    this.#expectConnect = false
    this.#inHeader = true
    this.#length = 0
    this.#lengthBytes = 0
    return undefined
  }

  #takeLength(byte: number): FrameViolation | undefined {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes
    this.#lengthBytes += 1
    if (this.#length > this.#limit) return 'frame-too-large'
    if (byte < 0x80) {
      this.#inHeader = false
      this.#body = this.#length
      return undefined
    }
    return this.#lengthBytes === MAX_LENGTH_BYTES ? 'malformed-length' : undefined
  }
}
