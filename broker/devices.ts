import {
  CHANNELS,
  type DeviceTopic,
  JOIN_CHANNELS,
  type JoinTopic,
  parseJoinTopic,
  parseTopic,
  printJoinTopic,
  printTopic,
} from '../shared/messages/index.ts'
import { BrokerError } from './errors.ts'
import type { Receiver } from './identity.ts'
import type { BrokerLimits } from './limits.ts'
import type { Session } from './session.ts'

interface Place {
  readonly session: Session
  /** Bytes given to the broker that the client's socket has not taken. */
  inflight: number
}

export type ReceiverTopic = DeviceTopic | JoinTopic

/**
 * The devices that are connected or joining, and the way to each: straight to its socket. Through the broker's
 * router, one subscriber that does not read holds up all others until it is timed out.
 */
export class Devices {
  readonly #limits: Pick<BrokerLimits, 'inflightBytes' | 'inflightBytesPerClient'>
  readonly #places = new Map<string, Place>()
  #inflight = 0

  constructor(limits: Pick<BrokerLimits, 'inflightBytes' | 'inflightBytesPerClient'>) {
    this.#limits = limits
  }

  /** A second connection of a device takes the place of the first. */
  enter(session: Session): void {
    const key = keyOf(session.identity)
    const before = this.#places.get(key)
    this.#places.set(key, { session, inflight: 0 })
    before?.session.close()
  }

  leave(session: Session): void {
    const key = keyOf(session.identity)
    if (this.#places.get(key)?.session === session) this.#places.delete(key)
  }

  /**
   * Resolves when the device's socket has taken the bytes.
   * @throws BrokerError `device-offline`, `device-busy`
   */
  async publish(to: ReceiverTopic, bytes: Uint8Array): Promise<void> {
    const place = this.#places.get(keyOf(to))
    const topic = 'device' in to ? printTopic(to) : printJoinTopic(to)
    const { qos } = 'device' in to ? CHANNELS[to.channel] : JOIN_CHANNELS[to.channel]
    if (place === undefined || !place.session.hasSubscribed(topic)) throw offline(to)
    this.#reserve(to, place, bytes.length)
    try {
      await place.session.publish(topic, qos, bytes)
    } finally {
      place.inflight -= bytes.length
      this.#inflight -= bytes.length
    }
    if (place.session.isClosed) throw offline(to)
  }

  #reserve(to: ReceiverTopic, place: Place, bytes: number): void {
    const { inflightBytes, inflightBytesPerClient } = this.#limits
    const full =
      place.inflight + bytes > inflightBytesPerClient || this.#inflight + bytes > inflightBytes
    if (full) {
      const message = `${nameOf(to)} does not read: ${place.inflight} bytes are waiting for it`
      throw new BrokerError('device-busy', message, { ...to, inflight: place.inflight })
    }
    place.inflight += bytes
    this.#inflight += bytes
  }
}

/** Whom alone the planner's messages of this topic are for; `undefined` for every other topic. */
export function toOneClient(text: string): ReceiverTopic | undefined {
  const device = parseTopic(text)
  if (device !== undefined) return CHANNELS[device.channel].from === 'planner' ? device : undefined
  const join = parseJoinTopic(text)
  return join && JOIN_CHANNELS[join.channel].from === 'planner' ? join : undefined
}

function keyOf(to: Receiver | ReceiverTopic): string {
  return 'device' in to ? `${to.fleet}/d/${to.device}` : `${to.fleet}/join/${to.joiner}`
}

function nameOf(to: ReceiverTopic): string {
  return 'device' in to ? `device ${to.device}` : `joiner ${to.joiner}`
}

function offline(to: ReceiverTopic): BrokerError {
  const message = `${nameOf(to)} is not connected with a subscription to its ${to.channel}`
  return new BrokerError('device-offline', message, { ...to })
}
