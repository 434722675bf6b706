import { z } from 'zod'
import { DeviceTrust } from '../../agent/trust/index.ts'
import type { Digest } from '../../shared/digest.ts'
import { newId } from '../../shared/ids.ts'
import {
  type Channel,
  type HeardOrder,
  type InstallState,
  type OrderOf,
  parseMessage,
  printMessage,
  printTopic,
  type Report,
} from '../../shared/messages/index.ts'
import { pullArtifact } from './artifact-copy.ts'
import type { BoardBirths } from './board-births.ts'
import { Fetch } from './fetch-artifact.ts'
import type { Ledger } from './ledger.ts'
import { madeUpRecord } from './measured-figures.ts'
import { MqttSession } from './mqtt-session.ts'

export interface Broker {
  readonly host: string
  readonly port: number
}

/** How one device behaves. */
export interface Character {
  readonly verifies: boolean
  readonly downloads: boolean
  /** Fetches from the copy that the planner named. */
  readonly pulls: boolean
  readonly isSlow: boolean
  /** From when on it reads nothing: when it is told to, or once it has asked for what it was given. */
  readonly freezes: 'when-told' | 'amid' | undefined
  readonly isLiar: boolean
  /** Says a thousand reports a second. */
  readonly isChatty: boolean
}

export interface DeviceSetup {
  readonly id: string
  readonly fleet: string
  readonly broker: Broker
  readonly localAddress: string | undefined
  readonly username: string | undefined
  /** Of its board. */
  readonly births: BoardBirths
  readonly character: Character
  readonly anchor: Digest
  /** For what it believes. */
  readonly dir: string
  readonly probeMs: number
  readonly installMs: number
  /** Samples of the test data, which its records say it answered. */
  readonly samples: number
  readonly ledger: Ledger
}

/** A report without its receipt is said again after so long, as an agent's outbox does, ms. */
const RESEND_MS = 30_000
const RESTART_MS = 1_000
const SLOW_FACTOR = 20
const CHATTER_PER_TICK = 50
const CHATTER_MS = 50

type Body = Report extends infer R ? (R extends Report ? Omit<R, 'v' | 'id' | 'at'> : never) : never

/** A device as the wire sees one: every message through the real codecs, everything receipted or said again. */
export class SimulatedDevice {
  readonly setup: DeviceSetup
  #session: MqttSession | undefined
  #isUp = false
  #isWanted = false
  #isFrozen = false
  /** Where the planner says that a copy of the artifacts lies. */
  #copy: string | undefined
  #connections = 0
  #retry: NodeJS.Timeout | undefined
  #chatter: NodeJS.Timeout | undefined
  #birth: string | undefined
  readonly #outbox = new Map<string, { readonly report: Report; saidAt: number }>()
  readonly #taken = new Set<string>()
  readonly #slots = new Map<string, string>()
  readonly #fetches = new Set<Fetch>()
  #trust: Promise<DeviceTrust> | undefined
  /** Its birth has its receipt. */
  onBorn: (() => void) | undefined
  onGone: (() => void) | undefined

  constructor(setup: DeviceSetup) {
    this.setup = setup
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get unreceipted(): number {
    return this.#outbox.size
  }

  start(): void {
    this.#isWanted = true
    clearTimeout(this.#retry)
    if (this.#session) return
    const { id, broker, localAddress, username, fleet } = this.setup
    this.#connections += 1
    const epoch = this.#epoch()
    this.#session = new MqttSession({
      broker,
      localAddress,
      username,
      clientId: `${fleet}/${id}`,
      will: { topic: this.#topic('death'), payload: printMessage('death', { v: 1, epoch }) },
      subscriptions: [
        { topic: this.#topic('orders'), qos: 1 },
        { topic: this.#topic('blocks'), qos: 0 },
      ],
      onUp: () => void this.#up(),
      onMessage: (topic, payload) => this.#take(topic, payload),
      onDown: (reason) => this.#down(reason),
    })
  }

  /** The power goes; `start` brings it back. */
  leave(): void {
    this.#isWanted = false
    this.#session?.drop()
  }

  /** The network breaks; it comes back by itself. */
  break(): void {
    this.#session?.drop()
  }

  /** Its socket stays open, it says what it says, and reads nothing: in later sessions too. */
  freeze(): void {
    this.#isFrozen = true
    this.#session?.freeze()
  }

  stop(): void {
    this.#isWanted = false
    clearTimeout(this.#retry)
    for (const fetch of this.#fetches) fetch.stop()
    this.#session?.drop()
  }

  /** Called every second or so: keeps its session alive, and says once more what had no receipt for a while. */
  tick(now: number): void {
    this.#session?.tick(now)
    if (!this.#isUp) return
    for (const entry of this.#outbox.values()) {
      if (now - entry.saidAt < RESEND_MS) continue
      entry.saidAt = now
      this.#send(entry.report)
    }
  }

  async #up(): Promise<void> {
    await this.#sayBirth()
    if (!this.#session) return
    this.#isUp = true
    const now = performance.now()
    for (const entry of this.#outbox.values()) {
      entry.saidAt = now
      this.#send(entry.report)
    }
    if (this.#isFrozen) this.#session.freeze()
    if (this.setup.character.isChatty) this.#chatter = setInterval(() => this.#chat(), CHATTER_MS)
  }

  async #sayBirth(): Promise<void> {
    const { births, ledger } = this.setup
    const trust = await this.#trust
    const roots = (await trust?.rootVersions()) ?? { director: 0, image: 0 }
    const slots = [...this.#slots].map(([model, variant]) => ({ model, variant, active: true }))
    this.#birth = newId()
    ledger.births += 1
    const birth = births.print({
      v: 1,
      id: this.#birth,
      epoch: this.#epoch(),
      agentVersion: '0.1.0',
      memoryLimitBytes: null,
      slots,
      roots,
    })
    this.#session?.publish(this.#topic('birth'), birth)
  }

  #down(reason: string): void {
    this.#session = undefined
    this.#isUp = false
    clearInterval(this.#chatter)
    this.setup.ledger.down(reason)
    this.onGone?.()
    if (this.#isWanted)
      this.#retry = setTimeout(() => this.start(), RESTART_MS * (0.5 + Math.random()))
  }

  #take(topic: string, payload: Buffer): void {
    const { ledger } = this.setup
    const parsed = parseMessage(topic, payload)
    if (!parsed.ok) {
      ledger.unreadable += 1
      return
    }
    const { message } = parsed
    if (message.channel === 'blocks') {
      ledger.blocks += 1
      for (const fetch of this.#fetches) fetch.take(message.payload)
    } else if (message.channel === 'orders') this.#takeOrder(message.payload)
  }

  #takeOrder(order: HeardOrder): void {
    const { ledger } = this.setup
    const isNew = !this.#taken.has(order.id)
    ledger.heard(order, isNew)
    if (order.kind === 'receipt') {
      this.#copy = order.artifacts
      this.#receipt(order.reports)
    } else if (order.kind === 'rebirth') void this.#sayBirth()
    // As an agent: what was taken before is acknowledged again, and not done again.
    else if (!isNew || order.kind === 'cancel') this.#say({ kind: 'ack', order: order.id })
    if (order.kind === 'cancel') this.#taken.add(order.id)
    if (!isNew || (order.kind !== 'probe' && order.kind !== 'assign')) return
    this.#taken.add(order.id)
    const work = order.kind === 'probe' ? this.#probe(order) : this.#install(order)
    work.catch((error: Error) => ledger.notVerified.push(`${this.setup.id}: ${error.message}`))
  }

  #receipt(ids: readonly string[]): void {
    const { ledger } = this.setup
    for (const id of ids) {
      if (this.#outbox.delete(id)) ledger.receipted += 1
      if (id !== this.#birth) continue
      this.#birth = undefined
      ledger.birthsReceipted += 1
      this.onBorn?.()
    }
  }

  async #probe(order: OrderOf<'probe'>): Promise<void> {
    const { character, samples, probeMs, ledger } = this.setup
    if (character.verifies) {
      await (await this.#believed()).verifyProbe(order)
      ledger.verified += 1
    }
    const { id, model, variant, vouched } = order
    this.#say({ kind: 'ack', order: id })
    const { order: said } = JSON.parse(vouched.payload) as {
      order: { artifact: { digest: string }; baseline: { artifact: { digest: string } } | null }
    }
    await this.#work(probeMs)
    const jitter = 0.98 + 0.04 * Math.random()
    const record = madeUpRecord(said.artifact.digest, said.baseline?.artifact.digest, {
      samples,
      jitter,
      isLiar: character.isLiar,
    })
    this.#say({ kind: 'probe', order: id, model, variant, result: { outcome: 'measured', record } })
  }

  async #install(order: OrderOf<'assign'>): Promise<void> {
    const { character, installMs, ledger } = this.setup
    const { id, model, variant } = order
    const say = (state: InstallState) =>
      this.#say({ kind: 'install', order: id, model, variant, state })
    const trust = character.verifies ? await this.#believed() : undefined
    const assignments = trust && (await trust.verifyOffer(order.offer)).assignments
    const own = assignments?.find((one) => one.model === model)
    if (assignments && own?.variant !== variant) throw new Error('the director says something else')
    if (assignments) ledger.verified += 1
    this.#say({ kind: 'ack', order: id })
    say('accepted')
    say('downloading')
    const fetched = character.downloads ? this.#fetchOrPull(order) : undefined
    if (character.freezes === 'amid') {
      this.freeze()
      return
    }
    await fetched
    await this.#work(installMs)
    for (const state of ['verified', 'installed', 'active'] as const) say(state)
    this.#slots.set(model, variant)
    if (own) await trust?.installed(own)
    ledger.installedAt.push(performance.now())
  }

  #fetchOrPull(order: OrderOf<'assign'>): Promise<void> {
    const artifact = saidArtifact(order)
    return this.setup.character.pulls ? this.#pull(artifact) : this.#fetch(artifact)
  }

  #fetch(artifact: { readonly digest: string; readonly bytes: number }): Promise<void> {
    const { ledger } = this.setup
    return new Promise((resolve) => {
      const fetch: Fetch = new Fetch(
        artifact,
        (want) => {
          ledger.wantsSent += 1
          this.#session?.publish(this.#topic('want'), printMessage('want', want))
        },
        (isRight) => {
          this.#fetches.delete(fetch)
          ledger.downloaded(isRight)
          resolve()
        },
      )
      this.#fetches.add(fetch)
    })
  }

  async #pull({ digest }: { readonly digest: string }): Promise<void> {
    const { ledger } = this.setup
    if (this.#copy === undefined) throw new Error('no copy was named')
    ledger.downloaded((await pullArtifact(this.#copy, digest)) === digest)
    ledger.pulls += 1
  }

  #work(ms: number): Promise<void> {
    const longest = this.setup.character.isSlow ? SLOW_FACTOR * ms : ms
    return new Promise((resolve) => setTimeout(resolve, longest * (0.75 + 0.5 * Math.random())))
  }

  #believed(): Promise<DeviceTrust> {
    const { id, dir, anchor, births } = this.setup
    this.#trust ??= DeviceTrust.open({
      dir,
      device: id,
      anchor,
      class: null,
      architecture: births.facts.report.architecture,
      runtimes: ['litert', 'onnxruntime'],
      clock: { now: () => new Date(), monotonic: () => performance.now() },
    })
    return this.#trust
  }

  #say(body: Body): void {
    const report = { v: 1, id: newId(), at: new Date().toISOString(), ...body } as Report
    this.#outbox.set(report.id, { report, saidAt: performance.now() })
    this.setup.ledger.reports += 1
    this.#send(report)
  }

  /** Reports without an order behind them, and nobody who waits for their receipts. */
  #chat(): void {
    for (let said = 0; said < CHATTER_PER_TICK; said += 1) {
      const report = {
        v: 1,
        id: newId(),
        at: new Date().toISOString(),
        kind: 'ack',
        order: 'none',
      } as const
      this.#send(report)
    }
  }

  #send(report: Report): void {
    if (!this.#session) return
    this.setup.ledger.reportsSent += 1
    this.#session.publish(this.#topic('reports'), printMessage('reports', report))
  }

  #epoch() {
    return { start: this.setup.id, connection: this.#connections }
  }

  #topic(channel: Channel): string {
    return printTopic({ fleet: this.setup.fleet, device: this.setup.id, channel })
  }
}

const saidTargets = z.object({
  signed: z.object({
    targets: z.record(
      z.string(),
      z.object({ length: z.number(), hashes: z.object({ sha256: z.string() }) }),
    ),
  }),
})

/** What the director's files say of it, whoever signed them. */
function saidArtifact({ model, variant, offer }: OrderOf<'assign'>) {
  const names = Object.keys(offer.director).filter((name) => name.endsWith('targets.json'))
  for (const name of names) {
    const { targets } = saidTargets.parse(JSON.parse(offer.director[name] ?? '')).signed
    const path = Object.keys(targets).find((one) => one.startsWith(`${model}/${variant}.`))
    const target = path === undefined ? undefined : targets[path]
    if (target) return { digest: target.hashes.sha256, bytes: target.length }
  }
  throw new Error('the director does not name what it assigns')
}
