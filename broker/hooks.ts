import type { AedesOptions, Client } from 'aedes'
import type { Logger } from 'pino'
import { messageOf } from '../shared/errors.ts'
import { CHANNELS, parseTopic } from '../shared/messages/topics.ts'
import type { SparseLog } from '../shared/sparse-log.ts'
import { mayUse } from './access.ts'
import type { Devices } from './devices.ts'
import { GuardedConnection } from './guarded-connection.ts'
import type { Authenticate, Identity } from './identity.ts'
import { bytesOf } from './payload.ts'

/** Where a dropped publish goes: a topic that no role may subscribe. */
const NOWHERE = '$SYS/nowhere'
/** No client id of ours looks so. */
const NAMELESS = '?'
const NOTHING = Buffer.alloc(0)

export interface HookContext {
  readonly authenticate: Authenticate
  readonly identities: WeakMap<Client, Identity>
  readonly devices: Devices
  readonly log: Logger
  /** What clients are denied. */
  readonly refusals: SparseLog
}

type Hooks = Pick<
  Required<AedesOptions>,
  'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'
>

/** What aedes asks before it lets anything through. */
export function hooksOf(context: HookContext): Hooks {
  return {
    // Every session is a clean one: what must not be lost is kept by both ends, never by the broker.
    preConnect: (_client, packet, next) => {
      packet.clean = true
      // aedes would make up a name, which might pass for a device's.
      if (packet.clientId === '') packet.clientId = NAMELESS
      next(null, true)
    },
    authenticate: (client, username, password, next) => {
      letIn(context, client, username, password).then(
        (welcome) => next(null, welcome),
        (error) => {
          context.log.error({ client: client.id, reason: messageOf(error) }, 'cannot authenticate')
          next(null, false)
        },
      )
    },
    // An error would close the connection without a word: what is denied goes nowhere instead.
    authorizePublish: (client, packet, next) => {
      packet.retain = false
      const identity = client === null ? undefined : context.identities.get(client)
      const allowed = identity !== undefined && mayUse(identity, 'publish', packet.topic)
      if (!allowed)
        context.refusals.warn({ client: client?.id, topic: packet.topic }, 'publish denied')
      if (!allowed || handOver(context, packet)) {
        packet.topic = NOWHERE
        packet.payload = NOTHING
      }
      next(null)
    },
    authorizeSubscribe: (client, subscription, next) => {
      const identity = context.identities.get(client)
      const allowed = identity !== undefined && mayUse(identity, 'subscribe', subscription.topic)
      if (allowed) return next(null, subscription)
      context.refusals.warn(
        { client: client.id, filter: subscription.topic },
        'subscription denied',
      )
      return next(null, null)
    },
  }
}

async function letIn(
  { authenticate, identities, refusals }: HookContext,
  client: Client,
  username: string | undefined,
  password: Buffer | undefined,
): Promise<boolean> {
  if (!(client.conn instanceof GuardedConnection)) return false
  const { socket } = client.conn
  const identity = await authenticate({ clientId: client.id, username, password, socket })
  if (identity === undefined) {
    refusals.warn({ client: client.id, address: socket.remoteAddress }, 'client refused')
    return false
  }
  identities.set(client, identity)
  client.conn.admit()
  return true
}

/** True for a message to a device, which goes straight to its socket instead of through the router. */
function handOver(
  { devices, log }: HookContext,
  packet: { topic: string; payload: string | Buffer },
): boolean {
  const topic = parseTopic(packet.topic)
  if (topic === undefined || CHANNELS[topic.channel].from !== 'planner') return false
  devices.publish(topic, bytesOf(packet.payload)).catch((error) => {
    log.debug({ device: topic.device, channel: topic.channel, reason: messageOf(error) }, 'dropped')
  })
  return true
}
