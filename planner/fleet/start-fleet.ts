import { type Logger, pino } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import {
  type MessageRefusal,
  parseMessage,
  parsePayload,
  parseTopic,
} from '../../shared/messages/index.ts'
import { BlockServer } from './block-server.ts'
import {
  type FleetConnection,
  isFromAgent,
  type Transport,
  type TransportEvents,
} from './connection.ts'
import { embeddedTransport } from './embedded-transport.ts'
import { DEFAULT_LIMITS, type FleetLimits } from './limits.ts'
import { MissedBirths } from './missed-births.ts'
import { mqttTransport } from './mqtt-transport.ts'
import { Peer } from './peer.ts'
import type { FleetLink, FleetStore, SampleDesk } from './store.ts'
import { Turns } from './turns.ts'

export interface FleetOptions {
  readonly connection: FleetConnection
  readonly fleet: string
  readonly store: FleetStore
  /** Where captured samples go; absent: none are asked for. */
  readonly samples?: SampleDesk
  readonly log?: Logger
  readonly limits?: Partial<FleetLimits>
  /** Where a copy of the artifacts lies behind HTTPS; absent: nowhere. */
  readonly artifactsUrl?: string | undefined
  /** Devices that this planner speaks with, where others share the fleet; default: all. */
  readonly owns?: (device: string) => boolean
  /** Monotonic ms. */
  readonly now?: () => number
}

/**
 * Opens the planner's end of the wire. With a broker elsewhere it returns at once and connects for ever.
 * @throws UsageError for a broker URL that is none
 */
export async function startFleet(options: FleetOptions): Promise<FleetLink> {
  const fleet = new Fleet(options)
  await fleet.open(options.connection)
  return fleet
}

class Fleet implements FleetLink {
  readonly #fleet: string
  readonly #store: FleetStore
  readonly #samples: SampleDesk | undefined
  readonly #log: Logger
  readonly #limits: FleetLimits
  readonly #now: () => number
  readonly #owns: (device: string) => boolean
  readonly #artifactsUrl: string | undefined
  readonly #blocks: BlockServer
  readonly #signing: Turns
  readonly #sending: Turns
  readonly #collecting: Turns
  readonly #peers = new Map<string, Peer>()
  readonly #missed: MissedBirths
  #transport: Transport | undefined
  #closed = false

  constructor({ fleet, store, samples, log, limits, now, owns, artifactsUrl }: FleetOptions) {
    this.#fleet = fleet
    this.#store = store
    this.#samples = samples
    this.#artifactsUrl = artifactsUrl
    this.#owns = owns ?? (() => true)
    this.#log = log ?? pino({ level: 'silent' })
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#now = now ?? (() => performance.now())
    this.#missed = new MissedBirths(this.#now)
    this.#signing = new Turns(this.#limits.signing)
    this.#sending = new Turns(this.#limits.sending)
    this.#collecting = new Turns(this.#limits.collecting)
    this.#blocks = new BlockServer({
      store,
      limits: this.#limits,
      log: this.#log,
      send: (device, frame) => this.#send(device, 'blocks', frame),
    })
  }

  async open(connection: FleetConnection): Promise<void> {
    const events: TransportEvents = {
      message: (topic, bytes) => this.#receive(topic, bytes),
      up: () => void this.#askBirths(),
      down: () => this.#forgetSessions(),
    }
    this.#transport =
      connection.kind === 'embedded'
        ? await embeddedTransport(connection.broker, this.#fleet, events)
        : mqttTransport(connection, this.#fleet, events, this.#log)
    if (connection.kind === 'embedded') events.up()
  }

  nudge(device: string): void {
    if (!this.#closed) this.#peer(device).nudge()
  }

  ask(devices: readonly string[]): void {
    const asked = new Set([...devices, ...this.#missed.take(this.#owns)])
    for (const device of asked) if (!this.#closed) this.#peer(device).askBirth()
  }

  letGo(): void {
    for (const [device, peer] of this.#peers) {
      if (this.#owns(device)) continue
      peer.forgetSession()
      this.#peers.delete(device)
    }
  }

  hears(device: string): boolean {
    return this.#peers.get(device)?.isHere ?? false
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#transport?.close()
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()))
    await this.#blocks.close()
  }

  #receive(topic: string, bytes: Uint8Array): void {
    if (this.#closed) return
    const from = parseTopic(topic)
    if (from === undefined) {
      this.#takeStrange(topic, bytes)
      return
    }
    const { device, channel } = from
    // Before it is parsed: what is another planner's, and a device that floods, costs a look at its topics.
    if (this.#isOthers(device, channel)) return
    const known = this.#peers.get(device)
    const isBounded = channel !== 'want' && channel !== 'samples'
    if (isBounded && known?.isOver()) return
    const parsed = parsePayload(from, bytes)
    if (!parsed.ok) {
      this.#refuse(parsed.refusal)
      return
    }
    const { message } = parsed
    const isForUs = message.fleet === this.#fleet && isFromAgent(message)
    if (!isForUs) return
    const peer = known ?? this.#peer(message.device)
    // Its first one counts, too.
    if (known === undefined && isBounded) peer.isOver()
    peer.take(message)
  }

  /** On a topic that is none of ours: of several planners one says so. */
  #takeStrange(topic: string, bytes: Uint8Array): void {
    const [, , , , device = ''] = topic.split('/')
    const parsed = this.#owns(device) ? parseMessage(topic, bytes) : undefined
    if (parsed?.ok === false) this.#refuse(parsed.refusal)
  }

  #refuse({ code, message, topic: from }: MessageRefusal): void {
    if (from === undefined || from.fleet !== this.#fleet) this.#log.warn({ code }, message)
    else this.#peer(from.device).takeGarbage(from.channel, `${code}: ${message}`)
  }

  /** Another planner's, or nobody's for a moment: then it is asked later. */
  #isOthers(device: string, channel: string | undefined): boolean {
    if (this.#owns(device)) return false
    if (channel === 'birth') this.#missed.note(device)
    return true
  }

  #send(device: string, channel: 'orders' | 'blocks', bytes: Uint8Array): Promise<void> {
    if (this.#transport === undefined) return Promise.reject(new Error('the link is not open yet'))
    return this.#transport.send({ fleet: this.#fleet, device, channel }, bytes)
  }

  #peer(device: string): Peer {
    const known = this.#peers.get(device)
    if (known !== undefined) return known
    const peer = new Peer(device, {
      store: this.#store,
      samples: this.#samples,
      collecting: this.#collecting,
      blocks: this.#blocks,
      limits: this.#limits,
      signing: this.#signing,
      sending: this.#sending,
      log: this.#log,
      now: this.#now,
      artifactsUrl: this.#artifactsUrl,
      sendOrder: (to, bytes) => this.#send(to, 'orders', bytes),
    })
    this.#peers.set(device, peer)
    return peer
  }

  /** Births said while nobody listened are lost: whoever may be there is asked to say it again. */
  async #askBirths(): Promise<void> {
    try {
      const devices = this.#transport?.connected() ?? (await this.#store.knownDevices())
      for (const device of devices) {
        if (this.#closed) return
        if (this.#owns(device)) this.#peer(device).askBirth()
      }
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, 'cannot ask for births')
    }
  }

  #forgetSessions(): void {
    for (const peer of this.#peers.values()) peer.forgetSession()
  }
}
