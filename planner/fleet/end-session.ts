import { connectAsync } from 'mqtt'
import type { TlsMaterial } from './connection.ts'

const TIMEOUT_MS = 10_000

/**
 * Ends whatever connection a client has at a broker elsewhere: a second one under the same name takes over
 * [MQTT-3.1.4-2], and leaves.
 */
export async function endSession(url: string, clientId: string, tls: TlsMaterial): Promise<void> {
  const client = await connectAsync(url, {
    clientId,
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: TIMEOUT_MS,
    ...tls,
  })
  await client.endAsync()
}
