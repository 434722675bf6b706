import type { Aedes, Client } from 'aedes'

/** What aedes keeps on a client, and its types do not tell. */
interface Inside {
  _authorized: boolean
  _keepaliveInterval: number
  _keepaliveTimer: NodeJS.Timeout | null
  readonly _will: unknown
  will: unknown
  connecting: boolean
  connected: boolean
  connackSent: boolean
  readonly broker: Aedes & { registerClient(client: Client): void }
  resume(): void
  _nextBatch(): void
}

/** [MQTT-3.2.2]: accepted, and no session was there. */
const ACCEPTED = Buffer.from([0x20, 0x02, 0x00, 0x00])
/** [MQTT-3.1.2-24]: one and a half times what the client asked for. */
const PATIENCE_MS_PER_SECOND = 1_500

/**
 * The rest of a connection, once it is known who it is. What aedes does here for sessions that last and for other brokers
 * beside it is for nobody: sessions are clean, and this broker is the only one. The streams that it opens and aborts for
 * messages of an older session are among the dearest things of a connection.
 */
export function letIn(client: Client, keepaliveSeconds: number): void {
  const inside = client as unknown as Inside
  const { broker } = inside
  // Either left meanwhile.
  if (client.closed || broker.closed) return
  inside._authorized = true
  keepAlive(client, inside, keepaliveSeconds)
  inside.will = inside._will
  broker.registerClient(client)
  // It was revoked meanwhile.
  if (client.closed) return
  client.conn.write(ACCEPTED)
  inside.connackSent = true
  inside.connecting = false
  inside.connected = true
  broker.emit('clientReady', client)
  client.emit('connected')
  inside.resume()
  inside._nextBatch()
}

function keepAlive(client: Client, inside: Inside, seconds: number): void {
  if (seconds === 0) return
  inside._keepaliveInterval = PATIENCE_MS_PER_SECOND * seconds + 1
  inside._keepaliveTimer = setTimeout(() => {
    client.emit('error', new Error('keep alive timeout'))
  }, inside._keepaliveInterval)
}
