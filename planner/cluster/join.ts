import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { VERSION } from '../../shared/version.ts'
import { type Claim, claims, type Database, type Db, type Member } from '../storage/index.ts'
import { CLAIM_NAMES, claimOfShard, DEVICES, LEADING, shardOfClaim } from './claim-names.ts'
import type { Cluster, ClusterListener } from './cluster.ts'
import { ClusterError } from './errors.ts'
import { type Notice, Notices } from './notices.ts'
import { SHARDS, shardOf } from './shards.ts'

/** `builder`: takes jobs only. */
export type Role = 'planner' | 'builder'

export interface JoinOptions {
  readonly database: Database
  readonly fleet: string
  readonly role: Role
  /** Digest of the trust anchor; a builder has none. */
  readonly anchor?: string
  readonly log: Logger
  readonly now?: () => Date
  /** A planner that was not heard of for so long is gone, ms. */
  readonly ttlMs?: number
}

const TTL_MS = 12_000
/** Renewed so many times in that. */
const BEATS = 4
/** Rows of those that are gone, for people. */
const REMEMBERED_MS = 86_400_000
/** Each signs by its own clock: devices refuse what is older than what they heard (`freeze`). */
const CLOCKS_APART_MS = 300_000

/** One process among those that have the database open. */
export async function joinCluster(options: JoinOptions): Promise<Cluster> {
  const { database, fleet, role, anchor = '', now = () => new Date() } = options
  const { db } = database
  await requireSameClock(db, now)
  const others = await claims.membersHere(db)
  requireAlike(others, options)
  const name = `${hostname()}:${process.pid}`
  const self: Member = { id: newId(), name, role, version: VERSION, fleet, anchor }
  const shared = new SharedCluster(self, others.length === 0, options)
  await shared.enter()
  return shared
}

/** @throws ClusterError `other-clock` */
async function requireSameClock(db: Db, now: () => Date): Promise<void> {
  const apart = now().getTime() - (await claims.databaseTime(db))
  if (Math.abs(apart) <= CLOCKS_APART_MS) return
  const minutes = Math.round(Math.abs(apart) / 60_000)
  throw new ClusterError(
    'other-clock',
    `this machine's clock is ${minutes} min ${apart > 0 ? 'ahead of' : 'behind'} that of the database: planners of one fleet sign by their own clocks, so set it`,
    { apart },
  )
}

function requireAlike(others: readonly Member[], { fleet, anchor, role }: JoinOptions): void {
  const elsewhere = others.find((other) => other.fleet !== fleet)
  if (elsewhere) {
    throw new ClusterError(
      'other-fleet',
      `planner ${elsewhere.name} serves the fleet ${elsewhere.fleet} from this database: give this one a database of its own`,
    )
  }
  const stranger = others.find((other) => other.role === 'planner' && other.anchor !== anchor)
  if (role === 'planner' && stranger) {
    throw new ClusterError(
      'other-trust',
      `planner ${stranger.name} on this database signs with other keys: give both the same --shared folder`,
    )
  }
}

/** Leases in PostgreSQL, by the clock of the database; how old they are here, by the monotonic one of this process. */
class SharedCluster implements Cluster {
  readonly id: string
  readonly isShared = true
  readonly isFirst: boolean
  readonly lost: Promise<Error>
  readonly #self: Member
  readonly #db: Db
  readonly #log: Logger
  readonly #ttlMs: number
  readonly #now: () => Date
  readonly #notices: Notices | undefined
  #listener: ClusterListener | undefined
  #shards = new Set<number>()
  #leading: Claim | undefined
  /** Monotonic, of when the last renewal that was answered was asked for. */
  #renewedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  /** Ticks of this process in which the renewal under way got no answer; one that sleeps counts none. */
  #unanswered = 0
  #closed = false
  #lose: (error: Error) => void = () => {}

  constructor(
    self: Member,
    isFirst: boolean,
    { database, log, ttlMs = TTL_MS, now = () => new Date() }: JoinOptions,
  ) {
    this.id = self.id
    this.isFirst = isFirst
    this.#self = self
    this.#db = database.db
    this.#log = log
    this.#ttlMs = ttlMs
    this.#now = now
    this.#notices = database.notifier && new Notices(database.notifier, self.id, log)
    this.lost = new Promise((resolve) => {
      this.#lose = resolve
    })
  }

  async enter(): Promise<void> {
    const asked = performance.now()
    await claims.ensureClaims(this.#db, CLAIM_NAMES)
    await claims.renewMember(this.#db, this.#self, this.#ttlMs)
    this.#renewedAt = asked
    // Starting may take longer than a lease lasts.
    this.#timer = setInterval(() => this.#beatSoon(), this.#ttlMs / BEATS)
  }

  async start(listener: ClusterListener): Promise<void> {
    this.#listener = listener
    await this.#notices?.listen((notice) => listener.notice(notice))
    this.#beatSoon()
    await this.#beating
  }

  leads(): boolean {
    return this.#leading !== undefined && this.#isFresh()
  }

  owns(device: string): boolean {
    return this.#shards.has(shardOf(device)) && this.#isFresh()
  }

  async fence(trx: Db): Promise<void> {
    const claim = this.#leading
    if (claim && (await claims.isHolding(trx, this.id, claim))) return
    throw new ClusterError('superseded', 'another planner leads by now')
  }

  tell(notice: Notice): void {
    this.#notices?.tell(notice)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    await this.#beating
    this.#shards.clear()
    this.#leading = undefined
    await this.#notices?.close()
    // Where the database is away, others wait for the lease to run out.
    await claims.removeMember(this.#db, this.id).catch(() => {})
  }

  /** A process that slept, or cannot reach the database, has nothing: others may have it. */
  #isFresh(): boolean {
    return performance.now() - this.#renewedAt < this.#ttlMs
  }

  #beatSoon(): void {
    if (this.#closed) return
    if (this.#beating !== undefined) {
      this.#noteLate()
      return
    }
    this.#unanswered = 0
    this.#beating = this.#beat()
      .catch((error) => {
        if (error instanceof ClusterError) this.#lose(error)
        else this.#log.warn({ reason: messageOf(error) }, 'leases were not renewed')
      })
      .then(() => {
        this.#beating = undefined
      })
  }

  #noteLate(): void {
    this.#unanswered += 1
    if (this.#unanswered < BEATS) return
    this.#lose(
      new ClusterError(
        'cut-off',
        `the database did not answer for ${Math.round((performance.now() - this.#renewedAt) / 1000)} s, and others have taken over: start the planner again when it is back`,
      ),
    )
  }

  async #beat(): Promise<void> {
    const asked = performance.now()
    await claims.renewMember(this.#db, this.#self, this.#ttlMs)
    await requireSameClock(this.#db, this.#now)
    if (this.#self.role === 'planner' && this.#listener) await this.#share()
    this.#renewedAt = asked
    if (this.#listener) await this.#apply()
    if (this.leads()) await claims.forgetMembers(this.#db, REMEMBERED_MS)
  }

  /** Each has as many parts as any other, and one of them leads. */
  async #share(): Promise<void> {
    const db = this.#db
    const here = (await claims.membersHere(db)).filter(({ role }) => role === 'planner')
    const fair = Math.ceil(SHARDS / Math.max(1, here.length))
    const held = await claims.claimsOf(db, this.id)
    const shards = held.flatMap(({ name }) => shardOfClaim(name) ?? [])
    const surplus = shards.sort((a, b) => a - b).slice(fair)
    if (surplus.length > 0) {
      // First nothing is done for them here, then others may have them.
      for (const shard of surplus) this.#shards.delete(shard)
      this.#listener?.released()
      await claims.releaseClaims(db, this.id, surplus.map(claimOfShard))
    }
    await claims.takeClaims(db, this.id, DEVICES, fair - shards.length)
    await claims.takeClaims(db, this.id, LEADING, 1)
  }

  async #apply(): Promise<void> {
    const held = await claims.claimsOf(this.#db, this.id)
    const shards = new Set(held.flatMap(({ name }) => shardOfClaim(name) ?? []))
    const gained = new Set([...shards].filter((shard) => !this.#shards.has(shard)))
    const hasLost = [...this.#shards].some((shard) => !shards.has(shard))
    const ledBefore = this.#leading?.term
    this.#shards = shards
    this.#leading = held.find(({ name }) => name === LEADING)
    if (hasLost) this.#listener?.released()
    if (gained.size > 0) {
      this.#log.info({ shards: gained.size }, 'devices are taken over')
      this.#listener?.gained(gained)
    }
    if (this.#leading && this.#leading.term !== ledBefore) {
      this.#log.info({ term: this.#leading.term }, 'this planner leads')
      this.#listener?.led()
      this.tell({ kind: 'led' })
    }
  }
}
