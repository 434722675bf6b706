import type { Duplex } from 'node:stream'
import { MAX_MESSAGE_BYTES } from '../../shared/messages/index.ts'

/** Topic, packet identifier and length bytes around a payload. */
const ENVELOPE_BYTES = 1024
/** MQTT 3.1.1 §2.2.3: seven bits of the remaining length per byte, at most four bytes. */
const LENGTH_BYTES = 4

/** The longest packet that any message of ours needs. */
export const MAX_FRAME_BYTES = Math.max(...Object.values(MAX_MESSAGE_BYTES)) + ENVELOPE_BYTES

/**
 * Follows the lengths of MQTT packets through a stream of chunks. The client library buffers whole
 * packets of up to 256 MiB; a broker that announces one too long for us is hung up on before that.
 */
export class FrameLengths {
  readonly #limit: number
  /** Bytes of the present packet's body still to come. */
  #body = 0
  #length = 0
  #lengthBytes = -1

  constructor(limit: number = MAX_FRAME_BYTES) {
    this.#limit = limit
  }

  /** False once a packet is too long, or its length is no length. */
  accepts(chunk: Uint8Array): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#body > 0) {
        const skipped = Math.min(this.#body, chunk.length - at)
        this.#body -= skipped
        at += skipped
      } else {
        if (!this.#header(chunk[at] as number)) return false
        at += 1
      }
    }
    return true
  }

  #header(byte: number): boolean {
    if (this.#lengthBytes < 0) {
      this.#lengthBytes = 0
      this.#length = 0
      return true
    }
    this.#length |= (byte & 0x7f) << (7 * this.#lengthBytes)
    this.#lengthBytes += 1
    if (this.#length > this.#limit) return false
    if (byte & 0x80) return this.#lengthBytes < LENGTH_BYTES
    this.#body = this.#length
    this.#lengthBytes = -1
    return true
  }
}

/** Destroys the stream at the first packet that is too long. */
export function limitFrames(stream: Duplex, limit?: number): void {
  const lengths = new FrameLengths(limit)
  stream.on('data', (chunk: Uint8Array) => {
    if (lengths.accepts(chunk)) return
    stream.destroy(
      Object.assign(new Error(`the broker sent a packet over ${limit ?? MAX_FRAME_BYTES} bytes`), {
        code: 'EMSGSIZE',
      }),
    )
  })
}
