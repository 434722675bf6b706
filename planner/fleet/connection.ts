import type { Channel, DeviceTopic, Message } from '../../shared/messages/index.ts'
import type { RelayedJoins } from './relayed-joins.ts'

/** What the fleet side asks of a broker in its own process; the broker does not know that it is asked. */
export interface EmbeddedBroker {
  subscribe(
    fleet: string,
    channel: Channel,
    take: (topic: string, bytes: Uint8Array) => void,
  ): Promise<() => Promise<void>>
  /** Resolves when the device's socket has taken the bytes; rejects when it is not there, or does not read. */
  publishToClient(to: DeviceTopic, bytes: Uint8Array): Promise<void>
  connectedClients(): readonly { readonly fleet: string; readonly device?: string }[]
}

/** PEM texts. */
export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

export type FleetConnection =
  | { readonly kind: 'embedded'; readonly broker: EmbeddedBroker }
  | {
      readonly kind: 'mqtt'
      /** `mqtt://host:port` or `mqtts://host:port` */
      readonly url: string
      readonly username?: string
      readonly password?: string
      readonly tls?: TlsMaterial
      /** Who answers requests for certificates that come this way; absent: nobody. */
      readonly joins?: RelayedJoins
    }

/** Channels that agents publish on. */
export const AGENT_CHANNELS = ['birth', 'death', 'reports', 'want', 'samples'] as const
export type AgentChannel = (typeof AGENT_CHANNELS)[number]
export type AgentMessage = Extract<Message, { channel: AgentChannel }>

const FROM_AGENT: ReadonlySet<Channel> = new Set(AGENT_CHANNELS)

export function isFromAgent(message: Message): message is AgentMessage {
  return FROM_AGENT.has(message.channel)
}

/** A way to all devices of one fleet. */
export interface Transport {
  /** Resolves when the bytes have left for the device; rejects when they cannot, now or at all. */
  send(to: DeviceTopic, bytes: Uint8Array): Promise<void>
  /** Devices that are connected; `undefined` where the broker does not tell. */
  connected(): readonly string[] | undefined
  close(): Promise<void>
}

export interface TransportEvents {
  message(topic: string, bytes: Uint8Array): void
  /** Subscribed: from here on nothing is missed. */
  up(): void
  /** Whatever is said now is missed. */
  down(): void
}
