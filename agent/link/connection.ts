import { MqttClient } from 'mqtt'
import { messageOf } from '../../shared/errors.ts'
import { leaveBroker } from '../../shared/leave-broker.ts'
import {
  CHANNELS,
  type Channel,
  type Epoch,
  printMessage,
  printTopic,
} from '../../shared/messages/index.ts'
import type { Endpoint } from './endpoint.ts'
import { limitFrames } from './frame-limit.ts'

const KEEPALIVE_S = 30
/** Time a broker has to let us in and grant our subscriptions, ms. */
export const ANSWER_MS = 15_000

export interface ConnectionHandlers {
  /** Connected and subscribed. */
  onUp(): void
  onMessage(topic: string, payload: Uint8Array): void
  /** Called once, whether or not `onUp` was. */
  onDown(reason: string): void
}

export interface ConnectionOptions {
  readonly endpoint: Endpoint
  readonly fleet: string
  readonly device: string
  readonly epoch: Epoch
  /** Time the broker has to let us in and grant our subscriptions, ms. */
  readonly answerMs: number
}

/** One MQTT session from connect to close. It never reconnects: the next epoch is a new connection. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #client: MqttClient
  #reason = 'the broker closed the connection'

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#options = options
    this.#client = new MqttClient(
      () => {
        const socket = options.endpoint.open()
        limitFrames(socket)
        return socket
      },
      {
        clientId: options.endpoint.clientId?.() ?? `${options.fleet}/${options.device}`,
        protocolVersion: 4,
        clean: true,
        keepalive: KEEPALIVE_S,
        connectTimeout: options.answerMs,
        reconnectPeriod: 0,
        resubscribe: false,
        queueQoSZero: false,
        ...(options.endpoint.username !== undefined && { username: options.endpoint.username }),
        ...(options.endpoint.password !== undefined && { password: options.endpoint.password }),
        will: { topic: this.#topic('death'), payload: this.#death(), qos: 1, retain: false },
      },
    )
    this.#listen(handlers)
  }

  /** Resolves true when the broker took it; false when it did not, which is no error here. */
  publish(channel: Channel, payload: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      const { qos } = CHANNELS[channel]
      this.#client.publish(this.#topic(channel), payload, { qos }, (error) => resolve(!error))
    })
  }

  /** Says death, because a clean disconnect fires no will, and closes. */
  leave(): Promise<void> {
    this.#reason = 'this agent left'
    return leaveBroker(this.#client, () => this.publish('death', this.#death()))
  }

  /** Hangs up without a word; the broker publishes the will. */
  drop(reason: string): void {
    this.#reason = reason
    this.#client.stream.destroy()
  }

  #listen(handlers: ConnectionHandlers): void {
    this.#client.on('message', (topic, payload) => handlers.onMessage(topic, payload))
    this.#client.on('error', (error) => {
      this.#reason = refusalOf(error) ?? (messageOf(error) || this.#reason)
    })
    const deadline = setTimeout(() => this.drop('it does not answer'), this.#options.answerMs)
    this.#client.once('close', () => {
      clearTimeout(deadline)
      this.#client.end(true)
      handlers.onDown(this.#reason)
    })
    this.#client.once('connect', () => {
      this.#client.subscribe(this.#subscriptions(), (error, granted) => {
        const denied = error ?? granted?.some(({ qos }) => qos > 2)
        if (denied)
          this.drop(`the broker denies this device its topics under fit/1/${this.#options.fleet}`)
        else {
          clearTimeout(deadline)
          handlers.onUp()
        }
      })
    })
  }

  #subscriptions(): Record<string, { qos: 0 | 1 }> {
    const heard = (['orders', 'blocks'] as const).map((channel) => {
      return [this.#topic(channel), { qos: CHANNELS[channel].qos }] as const
    })
    return Object.fromEntries(heard)
  }

  #topic(channel: Channel): string {
    const { fleet, device } = this.#options
    return printTopic({ fleet, device, channel })
  }

  #death(): Buffer {
    return printMessage('death', { v: 1, epoch: this.#options.epoch })
  }
}

const NOT_BELIEVED =
  'its certificate is not believed: check its clock, or join again with a new token'
const REVOKED =
  'this device is not let in: it was revoked, or is of another fleet; join again with a new token'

/**
 * What a broker says that does not let a client in, in words that help: return codes of MQTT 3.1.1 §3.2.2.3,
 * alerts of TLS (RFC 8446 §6) as OpenSSL names them.
 */
const REFUSALS: Readonly<Record<string, string>> = {
  2: 'the broker knows this device under another name',
  4: NOT_BELIEVED,
  5: REVOKED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: NOT_BELIEVED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_BELIEVED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: REVOKED,
}

function refusalOf(error: Error & { readonly code?: unknown }): string | undefined {
  return REFUSALS[String(error.code)]
}
