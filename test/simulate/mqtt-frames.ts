/**
 * The few frames of MQTT 3.1.1 that a device says and hears, written and read without a parser, a stream and a list of buffers for
 * each connection: in ten thousand connections those took more than the sockets.
 */

export const HEARD = { connack: 2, publish: 3, suback: 9 } as const
/** SUBACK's word for a topic that is not granted (§3.9.3). */
export const DENIED = 0x80

/** A frame's first byte, type and flags (§2.2), each with the flags that its type must have. */
const SAID = { connect: 0x10, publish: 0x32, puback: 0x40, subscribe: 0x82 } as const
const PROTOCOL = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4])
const FLAGS = { clean: 0x02, will: 0x04, willQos1: 0x08, username: 0x80 } as const
/** Bytes that say a frame's length, of seven bits each (§2.2.3), at most. */
const MAX_LENGTH_BYTES = 4
/** Where a frame ends whose header has not come. */
const CUT = Number.POSITIVE_INFINITY

export const PINGREQ = Buffer.from([0xc0, 0])

export interface Connecting {
  readonly clientId: string
  readonly username?: string | undefined
  readonly keepaliveS: number
  /** At QoS 1, not retained. */
  readonly will: { readonly topic: string; readonly payload: Buffer }
}

export interface Subscription {
  readonly topic: string
  readonly qos: 0 | 1
}

/** Of a clean session. */
export function printConnect({ clientId, username, keepaliveS, will }: Connecting): Buffer {
  const named = username === undefined ? 0 : textBytes(username)
  const payload = textBytes(clientId) + textBytes(will.topic) + 2 + will.payload.length + named
  const frame = begin(SAID.connect, PROTOCOL.length + 3 + payload)
  frame.put(PROTOCOL)
  frame.byte(
    FLAGS.clean | FLAGS.will | FLAGS.willQos1 | (username === undefined ? 0 : FLAGS.username),
  )
  frame.word(keepaliveS)
  frame.text(clientId)
  frame.text(will.topic)
  frame.word(will.payload.length)
  frame.put(will.payload)
  if (username !== undefined) frame.text(username)
  return frame.bytes
}

export function printSubscribe(messageId: number, subscriptions: readonly Subscription[]): Buffer {
  const length = subscriptions.reduce((sum, { topic }) => sum + textBytes(topic) + 1, 2)
  const frame = begin(SAID.subscribe, length)
  frame.word(messageId)
  for (const { topic, qos } of subscriptions) {
    frame.text(topic)
    frame.byte(qos)
  }
  return frame.bytes
}

/** At QoS 1, for the first time, not retained. */
export function printPublish(messageId: number, topic: string, payload: Buffer): Buffer {
  const frame = begin(SAID.publish, textBytes(topic) + 2 + payload.length)
  frame.text(topic)
  frame.word(messageId)
  frame.put(payload)
  return frame.bytes
}

export function printPuback(messageId: number): Buffer {
  const frame = begin(SAID.puback, 2)
  frame.word(messageId)
  return frame.bytes
}

export interface Published {
  readonly topic: string
  /** Undefined at QoS 0, which nobody acknowledges. */
  readonly messageId: number | undefined
  readonly payload: Buffer
}

/** What a PUBLISH says, given its first byte; undefined where it is none. */
export function readPublish(first: number, body: Buffer): Published | undefined {
  const topicEnd = body.length < 2 ? CUT : 2 + body.readUInt16BE(0)
  const isAcknowledged = (first & 0x06) !== 0
  const payloadAt = topicEnd + (isAcknowledged ? 2 : 0)
  if (payloadAt > body.length) return undefined
  return {
    topic: body.toString('utf8', 2, topicEnd),
    messageId: isAcknowledged ? body.readUInt16BE(topicEnd) : undefined,
    payload: body.subarray(payloadAt),
  }
}

/** Cuts what comes from a socket into frames, in whatever pieces it comes. */
export class FrameReader {
  readonly #take: (first: number, body: Buffer) => void
  /** Of a frame that has begun: its bytes so far, and behind its header room for all of it. */
  #begun: Buffer | undefined
  #filled = 0

  /** A body may be a view of what was read, for as long as `take` runs. */
  constructor(take: (first: number, body: Buffer) => void) {
    this.#take = take
  }

  /** False once it is no MQTT. */
  read(chunk: Buffer): boolean {
    const bytes = this.#begun === undefined ? chunk : this.#goOn(this.#begun, chunk)
    let at = 0
    while (at < bytes.length) {
      const { bodyAt, end } = boundsOf(bytes, at)
      if (Number.isNaN(end)) return false
      if (end > bytes.length) {
        this.#begun = Buffer.allocUnsafe(end === CUT ? bytes.length - at : end - at)
        this.#filled = bytes.copy(this.#begun, 0, at)
        return true
      }
      this.#take(bytes[at] as number, bytes.subarray(bodyAt, end))
      at = end
    }
    return true
  }

  /** What is to be read behind the frame that had begun. */
  #goOn(begun: Buffer, chunk: Buffer): Buffer {
    if (this.#filled === begun.length) {
      // Its header was cut, so there is no room for more.
      this.#begun = undefined
      return Buffer.concat([begun, chunk])
    }
    const copied = chunk.copy(begun, this.#filled)
    this.#filled += copied
    if (this.#filled === begun.length) {
      this.#begun = undefined
      this.#take(begun[0] as number, begun.subarray(boundsOf(begun, 0).bodyAt))
    }
    return chunk.subarray(copied)
  }
}

/** `end` is `CUT` where the header is not all there, and NaN where its length is none. */
function boundsOf(bytes: Buffer, at: number): { readonly bodyAt: number; readonly end: number } {
  let length = 0
  for (let i = 0; i < MAX_LENGTH_BYTES; i += 1) {
    const byte = bytes[at + 1 + i]
    if (byte === undefined) return { bodyAt: CUT, end: CUT }
    length |= (byte & 0x7f) << (7 * i)
    const bodyAt = at + 2 + i
    if (byte < 0x80) return { bodyAt, end: bodyAt + length }
  }
  return { bodyAt: Number.NaN, end: Number.NaN }
}

/** A text is two bytes longer than itself (§1.5.3). */
function textBytes(text: string): number {
  return 2 + Buffer.byteLength(text)
}

function begin(first: number, length: number): FrameWriter {
  const frame = new FrameWriter(1 + lengthBytes(length) + length)
  frame.byte(first)
  for (let rest = length; ; rest >>>= 7) {
    frame.byte(rest < 0x80 ? rest : 0x80 | (rest & 0x7f))
    if (rest < 0x80) return frame
  }
}

function lengthBytes(length: number): number {
  let bytes = 1
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes += 1
  return bytes
}

class FrameWriter {
  readonly bytes: Buffer
  #at = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  byte(value: number): void {
    this.#at = this.bytes.writeUInt8(value, this.#at)
  }

  word(value: number): void {
    this.#at = this.bytes.writeUInt16BE(value, this.#at)
  }

  put(bytes: Buffer): void {
    this.#at += bytes.copy(this.bytes, this.#at)
  }

  text(text: string): void {
    const written = this.bytes.write(text, this.#at + 2)
    this.word(written)
    this.#at += written
  }
}
