import type { IConnectPacket } from 'mqtt-packet'
import type { Logger } from 'pino'
import { messageOf } from '../shared/errors.ts'
import type { SparseLog } from '../shared/sparse-log.ts'
import type { Connection, FrameTaker } from './connection.ts'
import { returnCodeOf } from './errors.ts'
import type { Authenticate, Identity } from './identity.ts'
import type { BrokerLimits } from './limits.ts'
import { type Refusal, readConnect, refusing } from './packets.ts'

export interface DoorRules {
  readonly limits: BrokerLimits
  readonly authenticate: Authenticate
  readonly hasRoomFor: (identity: Identity) => boolean
  readonly refusals: SparseLog
  readonly log: Logger
  /** Who is let in, and the frame that it came with. */
  readonly enter: (
    connection: Connection,
    identity: Identity,
    connect: { readonly packet: IConnectPacket; readonly frame: Buffer },
  ) => void
}

/** Versions that are spoken: 3.1 and 3.1.1 (§3.1.2.2). */
const VERSIONS: ReadonlySet<number | undefined> = new Set([3, 4])
const CODES = { version: 1, keepalive: 6 } as const

/** A connection until it is known whose it is: its first frame is judged, in time, and answered or handed on. */
export class Door implements FrameTaker {
  readonly #connection: Connection
  readonly #rules: DoorRules
  readonly #timer: NodeJS.Timeout

  constructor(connection: Connection, rules: DoorRules) {
    this.#connection = connection
    this.#rules = rules
    this.#timer = setTimeout(() => connection.close(), rules.limits.connectTimeoutMs)
  }

  frame(frame: Buffer): void {
    clearTimeout(this.#timer)
    const packet = readConnect(frame)
    if (packet === undefined) {
      this.#connection.violate('malformed')
      return
    }
    // Nothing more is read before it is known who says it.
    this.#connection.hold()
    void this.#judge(packet, frame).catch((error) => {
      this.#rules.log.error(
        { client: packet.clientId, reason: messageOf(error) },
        'cannot authenticate',
      )
      this.#turnAway(returnCodeOf(undefined))
    })
  }

  gone(): void {
    clearTimeout(this.#timer)
  }

  async #judge(packet: IConnectPacket, frame: Buffer): Promise<void> {
    const { limits, authenticate, hasRoomFor, enter } = this.#rules
    const { clientId, keepalive = 0, username, password } = packet
    if (!VERSIONS.has(packet.protocolVersion)) return this.#turnAway(CODES.version)
    if (keepalive === 0 || keepalive > limits.keepaliveSeconds)
      return this.#turnAway(CODES.keepalive)
    const { socket } = this.#connection
    const answer = await authenticate({ clientId, username, password, socket })
    if (this.#connection.isClosed) return
    if (answer === undefined) return this.#refuse(clientId, undefined)
    if ('refused' in answer)
      return this.#refuse(clientId, answer.refused, returnCodeOf(answer.refused))
    if (!hasRoomFor(answer)) return this.#refuse(clientId, 'too-many-joining')
    enter(this.#connection, answer, { packet, frame })
    this.#connection.release()
  }

  #refuse(client: string, reason: string | undefined, code = returnCodeOf(undefined)): void {
    const { remoteAddress: address } = this.#connection.socket
    this.#rules.refusals.warn({ client, address, reason }, 'client refused')
    this.#turnAway(code)
  }

  #turnAway(code: Refusal): void {
    const { socket } = this.#connection
    socket.end(refusing(code), () => socket.destroy())
  }
}
