import type { Socket } from 'node:net'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import { messageOf, UsageError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import {
  CHANNELS,
  fleetFilter,
  joinFilter,
  parseJoinTopic,
  printTopic,
} from '../../shared/messages/index.ts'
import { SparseLog } from '../../shared/sparse-log.ts'
import {
  AGENT_CHANNELS,
  type FleetConnection,
  type Transport,
  type TransportEvents,
} from './connection.ts'
import { UnreachableError } from './errors.ts'

type MqttConnection = FleetConnection & { readonly kind: 'mqtt' }

const RECONNECT_MS = 1_000
const CONNECT_TIMEOUT_MS = 15_000
const KEEPALIVE_S = 30

/** Through a broker elsewhere. Connects for ever: a broker that is away comes back. @throws UsageError */
export function mqttTransport(
  connection: MqttConnection,
  fleet: string,
  events: TransportEvents,
  log: Logger,
): Transport {
  const client = connect(checkUrl(connection.url), clientOptions(connection, fleet))
  const outstanding = new Set<(error: Error) => void>()
  listen(client, connection, fleet, events, log)
  connection.joins?.answerWith(async (topic, bytes) => {
    await client.publishAsync(topic, Buffer.from(bytes), { qos: 1 })
  })
  client.on('close', () => {
    // The library forgets the callbacks of what waited for a socket that is gone.
    const error = new UnreachableError(`the broker ${connection.url} went away`)
    for (const reject of outstanding) reject(error)
  })
  return {
    send(to, bytes) {
      if (!client.connected) {
        return Promise.reject(new UnreachableError(`no connection to the broker ${connection.url}`))
      }
      const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const { qos } = CHANNELS[to.channel]
      return new Promise<void>((resolve, reject) => {
        outstanding.add(reject)
        client.publish(printTopic(to), payload, { qos }, (error) => {
          outstanding.delete(reject)
          if (error) reject(error)
          else resolve()
        })
      })
    },
    connected: () => undefined,
    close: () => client.endAsync(true),
  }
}

function clientOptions(connection: MqttConnection, fleet: string): IClientOptions {
  const { username, password, tls } = connection
  return {
    clientId: `planner:${fleet}:${newId()}`,
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: RECONNECT_MS,
    reconnectOnConnackError: true,
    resubscribe: false,
    queueQoSZero: false,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tls,
  }
}

function listen(
  client: MqttClient,
  { url, joins }: MqttConnection,
  fleet: string,
  events: TransportEvents,
  log: Logger,
): void {
  const errors = new SparseLog(log)
  let up = false
  client.on('message', (topic, payload) => {
    if (joins && parseJoinTopic(topic)) joins.receive(topic, payload)
    else events.message(topic, payload)
  })
  client.on('error', (error) =>
    errors.warn({ broker: url, reason: messageOf(error) }, 'broker error'),
  )
  client.on('connect', () => {
    setNoDelay(client)
    const filters = AGENT_CHANNELS.map((channel) => fleetFilter(fleet, channel))
    if (joins) filters.push(joinFilter(fleet, 'request'))
    client.subscribe(filters, { qos: 1 }, (error) => {
      if (error) {
        log.error({ broker: url, reason: messageOf(error) }, deniedMessage(fleet))
        client.stream.destroy()
        return
      }
      up = true
      log.info({ broker: url, fleet }, 'connected to the broker')
      events.up()
    })
  })
  client.on('close', () => {
    if (up) log.warn({ broker: url }, `lost the broker; next attempt in ${RECONNECT_MS / 1000} s`)
    up = false
    events.down()
  })
}

function deniedMessage(fleet: string): string {
  return `the broker denies the planner fit/1/${fleet}/d/+/…: give its user access to them`
}

/** Behind TLS the socket that is delayed is the one beneath. */
function setNoDelay(client: MqttClient): void {
  const stream = client.stream as Partial<Pick<Socket, 'setNoDelay'>>
  stream.setNoDelay?.(true)
}

function checkUrl(url: string): string {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme === 'mqtt:' || scheme === 'mqtts:') return url
  throw new UsageError(
    `"${url}" is no broker: use mqtt://host[:port], or mqtts://host[:port] for TLS`,
  )
}
