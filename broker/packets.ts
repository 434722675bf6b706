import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'

const VERSION = { protocolVersion: 4 } as const

/** [MQTT-3.2.2]: there is never a session of before. */
export const ACCEPTED = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }, VERSION)
export const PONG = generate({ cmd: 'pingresp' }, VERSION)

/** Return codes of MQTT 3.1.1 §3.2.2.3, and 6 as Aedes says it of a keep-alive that may not be. */
export type Refusal = 1 | 2 | 4 | 5 | 6

export function refusing(returnCode: Refusal): Buffer {
  return generate({ cmd: 'connack', returnCode, sessionPresent: false }, VERSION)
}

export function answering(
  cmd: 'puback' | 'pubrec' | 'pubcomp' | 'unsuback',
  messageId: number,
): Buffer {
  // The types ask an UNSUBACK of 3.1.1 for what only 5 has.
  return generate({ cmd, messageId } as Packet, VERSION)
}

/** @param granted of each filter its QoS, or 128 where it is denied */
export function granting(messageId: number, granted: number[]): Buffer {
  return generate({ cmd: 'suback', messageId, granted }, VERSION)
}

const PUBLISH = 0x30
const QOS_1 = 0x02

/**
 * What stands before the payload in a PUBLISH (MQTT 3.1.1 §3.3). By hand, so that a block which goes to many devices is
 * one buffer for all of them.
 * @param messageId of QoS 1; none: QoS 0
 */
export function publishHead(
  topic: string,
  messageId: number | undefined,
  payloadBytes: number,
): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const idBytes = messageId === undefined ? 0 : 2
  const length = 2 + topicBytes + idBytes + payloadBytes
  const lengthBytes = length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4
  const head = Buffer.allocUnsafe(1 + lengthBytes + 2 + topicBytes + idBytes)
  head[0] = messageId === undefined ? PUBLISH : PUBLISH | QOS_1
  let rest = length
  for (let at = 1; at <= lengthBytes; at += 1) {
    head[at] = (rest & 0x7f) | (at < lengthBytes ? 0x80 : 0)
    rest >>>= 7
  }
  const at = head.writeUInt16BE(topicBytes, 1 + lengthBytes)
  head.write(topic, at)
  if (messageId !== undefined) head.writeUInt16BE(messageId, at + topicBytes)
  return head
}

/** A CONNECT of any version; `undefined` if it is none. */
export function readConnect(frame: Buffer): IConnectPacket | undefined {
  // One of its own: it would read on in the version and manner of whoever connected last.
  const packet = new WholeFrames().read(frame)
  return packet?.cmd === 'connect' ? packet : undefined
}

/** Packets of MQTT 3.1.1 out of whole frames, of any number of clients: nothing is kept from one to the next. */
export class WholeFrames {
  #parser = parser(VERSION)
  #read: Packet | undefined
  #isBad = false

  constructor() {
    this.#listen()
  }

  /** `undefined` for a frame that is malformed. */
  read(frame: Buffer): Packet | undefined {
    const packet = this.#parsed(frame)
    // After a CONNECT it would read everybody's packets in the version of that one.
    if (packet === undefined || packet.cmd === 'connect') this.#renew()
    return packet
  }

  #parsed(frame: Buffer): Packet | undefined {
    this.#read = undefined
    const left = this.#parser.parse(frame)
    const read = this.#read as Packet | undefined
    return this.#isBad || left > 0 || lacksId(read) ? undefined : read
  }

  #renew(): void {
    this.#isBad = false
    this.#parser = parser(VERSION)
    this.#listen()
  }

  #listen(): void {
    this.#parser.on('packet', (packet) => {
      this.#read = packet
    })
    this.#parser.on('error', () => {
      this.#isBad = true
    })
  }
}

/** [MQTT-2.3.1-1]: where there is one it is not 0; the library says -1 of one that should be there. */
function lacksId(packet: Packet | undefined): boolean {
  return packet?.messageId !== undefined && packet.messageId < 1
}
