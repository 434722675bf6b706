import type { Aedes, AedesPublishPacket, Client } from 'aedes'
import { toOneClient } from './devices.ts'

/** No role may read it (`access.ts`), and aedes itself reads only whether brokers live: by that it tells orphaned wills. */
const isUnread = (topic: string) => topic.startsWith('$SYS/') && !LIFE.test(topic)
const LIFE = /\/(?:heartbeat|birth)$/

type Done = (error?: Error) => void
type Deliver = (packet: AedesPublishPacket, done: () => void) => void

/** What aedes calls on itself, and its types do not tell. */
interface Inside {
  publish(packet: AedesPublishPacket, client: Client | null | Done, done?: Done): void
  subscribe(topic: string, deliver: Deliver, done: () => void): void
  unsubscribe(topic: string, deliver: Deliver, done: () => void): void
  readonly persistence: { createRetainedStreamCombi: (topics: readonly string[]) => unknown }
  emit(event: 'publish', packet: AedesPublishPacket, client: Client | null): void
}

/**
 * Aedes does at every connection what here is for nobody: it tells of each client and subscription on `$SYS`, keeps in its
 * router the topics of a device, whose messages go straight to its socket (`devices.ts`), and looks for retained messages.
 */
export function spareWork(aedes: Aedes): void {
  const inside = aedes as unknown as Inside
  const [publish, subscribe, unsubscribe] = [
    inside.publish.bind(aedes),
    inside.subscribe.bind(aedes),
    inside.unsubscribe.bind(aedes),
  ]
  inside.publish = (packet, client, done) => {
    if (!isUnread(packet.topic)) return publish(packet, client, done)
    const [from, then] = typeof client === 'function' ? [null, client] : [client, done]
    inside.emit('publish', packet, from)
    if (then) setImmediate(then)
  }
  inside.subscribe = (topic, deliver, done) => {
    if (toOneClient(topic) === undefined) return subscribe(topic, deliver, done)
    setImmediate(done)
  }
  inside.unsubscribe = (topic, deliver, done) => {
    if (toOneClient(topic) === undefined) return unsubscribe(topic, deliver, done)
    if (done) setImmediate(done)
  }
  inside.persistence.createRetainedStreamCombi = () => NOTHING_RETAINED
}

/** Nothing ever is (`hooks.ts`). */
const NOTHING_RETAINED = { pipe: <T>(to: T): T => to }
