import type { AedesOptions, Client } from 'aedes'
import type { Logger } from 'pino'
import { invariant, messageOf } from '../shared/errors.ts'
import type { SparseLog } from '../shared/sparse-log.ts'
import { mayUse } from './access.ts'
import { type Devices, toOneClient } from './devices.ts'
import { NotLetIn } from './errors.ts'
import { GuardedConnection } from './guarded-connection.ts'
import type { Authenticate, Identity } from './identity.ts'
import type { Joining } from './joining.ts'
import { letIn } from './let-in.ts'
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
  readonly joining: Joining
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
  const keepalives = new WeakMap<Client, number>()
  return {
    // Every session is a clean one: what must not be lost is kept by both ends, never by the broker.
    preConnect: (client, packet, next) => {
      packet.clean = true
      keepalives.set(client, packet.keepalive ?? 0)
      // aedes would make up a name, which might pass for a device's.
      if (packet.clientId === '') packet.clientId = NAMELESS
      next(null, true)
    },
    authenticate: (client, username, password, next) => {
      identify(context, client, username, password)
        .then(() => letIn(client, keepalives.get(client) ?? 0))
        .catch((error) => {
          if (error instanceof NotLetIn) return next(error, false)
          context.log.error({ client: client.id, reason: messageOf(error) }, 'cannot authenticate')
          next(null, false)
        })
    },
    // An error would close the connection without a word: what is denied goes nowhere instead.
    authorizePublish: (client, packet, next) => {
      packet.retain = false
      const identity = client === null ? undefined : context.identities.get(client)
      const allowed =
        identity !== undefined &&
        mayUse(identity, 'publish', packet.topic) &&
        (client === null || context.joining.mayPublish(identity, client))
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

/** @throws NotLetIn */
async function identify(
  { authenticate, identities, refusals, joining }: HookContext,
  client: Client,
  username: string | undefined,
  password: Buffer | undefined,
): Promise<void> {
  invariant(client.conn instanceof GuardedConnection, 'connections come through the guard')
  const { socket } = client.conn
  const answer = await authenticate({ clientId: client.id, username, password, socket })
  const turnAway = (reason: string | undefined, error: NotLetIn): never => {
    refusals.warn({ client: client.id, address: socket.remoteAddress, reason }, 'client refused')
    throw error
  }
  if (answer === undefined) return turnAway(undefined, new NotLetIn())
  if ('refused' in answer) return turnAway(answer.refused, new NotLetIn(answer.refused))
  if (!joining.hasRoomFor(answer)) return turnAway('too-many-joining', new NotLetIn())
  identities.set(client, answer)
  // Who only asks for a certificate needs no larger frames.
  if (answer.role !== 'bootstrap') client.conn.admit(answer.role !== 'planner')
}

/** True for a message to a device or joiner, which goes straight to its socket instead of through the router. */
function handOver(
  { devices, log }: HookContext,
  packet: { topic: string; payload: string | Buffer },
): boolean {
  const topic = toOneClient(packet.topic)
  if (topic === undefined) return false
  devices.publish(topic, bytesOf(packet.payload)).catch((error) => {
    log.debug({ ...topic, reason: messageOf(error) }, 'dropped')
  })
  return true
}
