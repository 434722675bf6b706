import { connectAsync, type MqttClient } from 'mqtt'
import { newId } from '../../shared/ids.ts'
import { leaveBroker } from '../../shared/leave-broker.ts'
import { changedIn, deathMetrics, nodeMetrics, REBIRTH } from './metrics.ts'
import { type Metrics, printPayload, trueIn } from './payload.ts'

export interface SparkplugSettings {
  /** `mqtts://host[:port]`, with user and password where the broker wants them. */
  readonly url: string
  readonly group: string
  readonly node: string
}

/** Numbers of messages, and of births, go from 0 to 255 and begin anew (§6.4.6, §5.4). */
export const SEQ_LIMIT = 256
const KEEPALIVE_S = 30
const CONNECT_TIMEOUT_MS = 15_000
const NAMESPACE = 'spBv1.0'

interface NodeFacts {
  readonly bdSeq: number
  readonly fleet: string
  readonly version: string
}

/**
 * One session of an edge node: from a CONNECT whose will is its death, to the end of the connection. What was born in it
 * is told of until then. Never reconnects: the next session has a death of its own.
 */
export class SparkplugSession {
  readonly #client: MqttClient
  readonly #settings: SparkplugSettings
  readonly #facts: NodeFacts
  readonly #born = new Map<string, Metrics>()
  #seq = 0
  #isRebirthAsked = false
  #isOver = false

  private constructor(client: MqttClient, settings: SparkplugSettings, facts: NodeFacts) {
    this.#client = client
    this.#settings = settings
    this.#facts = facts
    client.on('error', () => {})
    client.once('close', () => {
      this.#isOver = true
    })
    client.on('message', (topic, payload) => {
      if (topic === this.#topic('NCMD')) this.#isRebirthAsked ||= trueIn(payload).has(REBIRTH)
    })
  }

  static async open(settings: SparkplugSettings, facts: NodeFacts): Promise<SparkplugSession> {
    const { group, node, url } = settings
    const death = { timestamp: Date.now(), metrics: deathMetrics(facts.bdSeq) }
    const client = await connectAsync(url, {
      clientId: `fitment-${newId().slice(0, 8)}`,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      will: {
        topic: `${NAMESPACE}/${group}/NDEATH/${node}`,
        payload: printPayload(death),
        qos: 1,
        retain: false,
      },
    })
    const session = new SparkplugSession(client, settings, facts)
    // Before the birth, so that no command to it is missed (§5.4).
    await client.subscribeAsync(session.#topic('NCMD'), { qos: 1 })
    await session.#birth()
    return session
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Devices as they are now: births of new ones, data of what changed, deaths of those that are gone. */
  async tell(devices: ReadonlyMap<string, Metrics>): Promise<void> {
    if (this.#isRebirthAsked) {
      this.#isRebirthAsked = false
      this.#born.clear()
      await this.#birth()
    }
    for (const device of [...this.#born.keys()]) {
      if (devices.has(device)) continue
      await this.#publish('DDEATH', new Map(), device)
      this.#born.delete(device)
    }
    for (const [device, metrics] of devices) {
      const before = this.#born.get(device)
      const changed = before && changedIn(before, metrics)
      if (changed === undefined) await this.#publish('DBIRTH', metrics, device)
      else if (changed.size > 0) await this.#publish('DDATA', changed, device)
      this.#born.set(device, metrics)
    }
  }

  /** On purpose: the death is said, as a broker publishes no will after a DISCONNECT. */
  close(): Promise<void> {
    const death = { timestamp: Date.now(), metrics: deathMetrics(this.#facts.bdSeq) }
    const options = { qos: 1, retain: false } as const
    return leaveBroker(this.#client, () =>
      this.#client.publishAsync(this.#topic('NDEATH'), printPayload(death), options),
    )
  }

  async #birth(): Promise<void> {
    const { bdSeq, fleet, version } = this.#facts
    this.#seq = 0
    await this.#publish('NBIRTH', nodeMetrics(bdSeq, fleet, version))
  }

  async #publish(
    kind: 'NBIRTH' | 'DBIRTH' | 'DDATA' | 'DDEATH',
    metrics: Metrics,
    device?: string,
  ) {
    if (this.#isOver) return
    const payload = { timestamp: Date.now(), seq: this.#seq, metrics }
    this.#seq = (this.#seq + 1) % SEQ_LIMIT
    const options = { qos: 0, retain: false } as const
    await this.#client.publishAsync(this.#topic(kind, device), printPayload(payload), options)
  }

  #topic(kind: string, device?: string): string {
    const { group, node } = this.#settings
    const words = [NAMESPACE, group, kind, node, ...(device === undefined ? [] : [device])]
    return words.join('/')
  }
}
