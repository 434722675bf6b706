import {
  AGENT_CHANNELS,
  type EmbeddedBroker,
  type Transport,
  type TransportEvents,
} from './connection.ts'

export async function embeddedTransport(
  broker: EmbeddedBroker,
  fleet: string,
  events: TransportEvents,
): Promise<Transport> {
  const unsubscribe = await Promise.all(
    AGENT_CHANNELS.map((channel) =>
      broker.subscribe(fleet, channel, (topic, bytes) => events.message(topic, bytes)),
    ),
  )
  return {
    send: (to, bytes) => broker.publishToClient(to, bytes),
    connected: () =>
      broker
        .connectedClients()
        .flatMap((client) => (client.fleet === fleet && client.device ? [client.device] : [])),
    async close() {
      await Promise.all(unsubscribe.map((end) => end()))
    },
  }
}
