import { setTimeout as sleep } from 'node:timers/promises'
import { type BackoffOptions, pauseMs } from '../../shared/backoff.ts'
import { type Digest, digestOf } from '../../shared/digest.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import {
  MAX_SHIPMENT_BYTES,
  parseShipment,
  SHIPMENT_FILE,
  TrustError,
} from '../../shared/trust/index.ts'
import { type Log, RECONNECT_BACKOFF } from '../link/index.ts'
import type { Shipped } from '../trust/index.ts'
import { DdiApi, type DdiSettings } from './api.ts'
import { DdiBlocks, type Lying } from './blocks.ts'
import { DdiError } from './errors.ts'
import {
  baseSchema,
  cancelSchema,
  type DdiArtifact,
  type Deployment,
  deploymentSchema,
  type Execution,
  type Finished,
  feedback,
  sleepMs,
} from './messages.ts'
import type { Recipient } from './recipient.ts'

export interface DdiOptions extends DdiSettings {
  /** What hawkBit may choose targets by; read anew when it asks. */
  attributes(): Promise<Readonly<Record<string, string>>>
  readonly recipient: Recipient
  readonly log: Log
  readonly backoff?: BackoffOptions
}

/** Between two looks at installations that are under way, ms. */
const WATCH_MS = 500
/** hawkBit takes 512 characters of a message. */
const MAX_DETAIL = 480

/** A deployment whose variants were accepted, and whose end hawkBit waits for. */
interface Open {
  readonly action: string
  readonly orders: readonly { readonly order: string; readonly shipped: Shipped }[]
}

/**
 * A client of hawkBit's DDI: polls, takes what was assigned to this target, and says what became of it. Never rejects;
 * a server that is away, or refuses, is said once and asked again.
 */
export class DdiClient {
  readonly #options: DdiOptions
  readonly #api: DdiApi
  readonly #leaving = new AbortController()
  readonly #ended: Promise<void>
  #open: Open | undefined
  #failures = 0
  #said: string | undefined
  /** Of which deployment it was said that its files are here. */
  #toldHere: string | undefined

  constructor(options: DdiOptions) {
    this.#options = options
    this.#api = new DdiApi(options, this.#leaving.signal)
    this.#ended = this.#run()
  }

  async close(): Promise<void> {
    this.#leaving.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#leaving
    while (!signal.aborted) {
      const pause = await this.#turn()
      await this.#watch(pause)
    }
  }

  /** One question to the server. Answers after which pause, ms, to ask again. */
  async #turn(): Promise<number> {
    const { log, backoff = RECONNECT_BACKOFF } = this.#options
    try {
      const pause = await this.#poll()
      if (this.#said !== undefined) log.info('hawkBit answers again')
      this.#said = undefined
      this.#failures = 0
      return pause
    } catch (error) {
      if (this.#leaving.signal.aborted) return 0
      const message = messageOf(error)
      if (message !== this.#said) log.warn({ code: codeOf(error) }, message)
      this.#said = message
      this.#failures += 1
      const after = error instanceof DdiError ? (error.retryAfterMs ?? 0) : 0
      return Math.max(pauseMs(this.#failures, backoff), after)
    }
  }

  async #poll(): Promise<number> {
    const { config, _links: links } = await this.#api.get(this.#api.base, baseSchema)
    if (links.configData !== undefined) await this.#tellAttributes(links.configData.href)
    if (links.cancelAction !== undefined) await this.#cancel(links.cancelAction.href)
    else if (links.deploymentBase !== undefined) await this.#deploy(links.deploymentBase.href)
    return sleepMs(config?.polling?.sleep)
  }

  async #tellAttributes(url: string): Promise<void> {
    const data = await this.#options.attributes()
    await this.#api.send('PUT', url, { mode: 'merge', data })
  }

  /** What was accepted goes to its end, so that it is known what runs; what was not is given up. */
  async #cancel(url: string): Promise<void> {
    const { cancelAction } = await this.#api.get(url, cancelSchema)
    const isUnderWay = this.#open?.action === cancelAction.stopId
    const answer = isUnderWay
      ? feedback('rejected', 'none', ['it is being installed: its end is told'])
      : feedback('closed', 'success', ['it had not begun'])
    await this.#api.send('POST', beside(url, 'feedback'), answer)
  }

  async #deploy(url: string): Promise<void> {
    const { id, deployment } = await this.#api.get(url, deploymentSchema)
    if (this.#open?.action === id) return
    try {
      await this.#take(id, deployment)
    } catch (error) {
      if (this.#leaving.signal.aborted || isOurTrouble(error)) throw error
      const message = messageOf(error)
      this.#options.log.warn({ code: codeOf(error), action: id }, `hawkBit: ${message}`)
      await this.#tell(id, 'closed', 'failure', [`[${codeOf(error)}] ${message}`])
    }
  }

  async #take(action: string, deployment: Deployment['deployment']): Promise<void> {
    const files = deployment.chunks.flatMap(({ artifacts }) => artifacts)
    const bytes = await this.#shipmentIn(files)
    const { recipient, log } = this.#options
    const all = await recipient.believe(parseShipment(bytes))
    const named = digestOf(bytes)
    const orders = all.map((shipped) => ({ order: this.#orderOf(action, named, shipped), shipped }))
    const fresh: typeof orders = []
    for (const one of orders) {
      if ((await recipient.outcome(one.order, one.shipped)).state === 'unknown') fresh.push(one)
    }
    const isHeld = deployment.update === 'skip' || deployment.maintenanceWindow === 'unavailable'
    if (fresh.length > 0 && this.#toldHere !== action) {
      await this.#tell(action, 'download', 'none', [`fetching ${namesOf(fresh)}`])
    }
    const releases = await this.#fetch(fresh, placesOf(files))
    try {
      if (isHeld) {
        if (this.#toldHere !== action) await this.#tell(action, 'downloaded', 'none', [])
        this.#toldHere = action
        return
      }
      for (const { order, shipped } of fresh) recipient.accept(order, shipped)
    } finally {
      for (const release of releases) release()
    }
    this.#open = { action, orders }
    if (fresh.length === 0) return
    log.info({ action, models: namesOf(fresh) }, 'hawkBit’s deployment is being installed')
    await this.#tell(action, 'proceeding', 'none', [`installing ${namesOf(fresh)}`])
  }

  async #shipmentIn(files: readonly DdiArtifact[]): Promise<Uint8Array> {
    const file = files.find(({ filename }) => filename === SHIPMENT_FILE)
    if (file === undefined) {
      throw new DdiError(
        'no-shipment',
        `the assigned distribution set has no ${SHIPMENT_FILE}: this target takes what fitment bridge hawkbit made, give other software to a target of its own`,
      )
    }
    const bytes = await this.#api.bytes(urlOf(file), MAX_SHIPMENT_BYTES)
    if (file.hashes.sha256 === undefined || digestOf(bytes) === file.hashes.sha256) return bytes
    throw new TrustError('mix-and-match', `${SHIPMENT_FILE} is not the file that hawkBit names`)
  }

  async #fetch(fresh: Open['orders'], lying: ReadonlyMap<Digest, Lying>): Promise<(() => void)[]> {
    const { recipient, backoff = RECONNECT_BACKOFF } = this.#options
    const releases: (() => void)[] = []
    const blocks = new DdiBlocks(this.#api, lying, backoff)
    const signal = AbortSignal.any([this.#leaving.signal, blocks.failed])
    try {
      for (const { shipped } of fresh) releases.push(await recipient.fetch(shipped, blocks, signal))
      return releases
    } catch (error) {
      for (const release of releases) release()
      throw blocks.failed.aborted ? blocks.failed.reason : error
    }
  }

  /** The same deployment is the same orders, after a restart too; another one under its number is another. */
  #orderOf(action: string, shipment: Digest, { model }: Shipped): string {
    const names = [this.#api.base, action, shipment, model]
    return `ddi-${digestOf(names.join('\n')).slice(0, 40)}`
  }

  /** Waits so long, and says meanwhile how what is under way ended. */
  async #watch(pause: number): Promise<void> {
    const { signal } = this.#leaving
    const until = performance.now() + pause
    for (;;) {
      const left = until - performance.now()
      if (signal.aborted || left <= 0) return
      if (this.#open !== undefined && (await this.#isOver(this.#open))) return
      const nap = this.#open === undefined ? left : Math.min(left, WATCH_MS)
      await sleep(nap, undefined, { signal }).catch(() => {})
    }
  }

  /** Also true where hawkBit could not be told: then the deployment is asked for again, and answered the same. */
  async #isOver(open: Open): Promise<boolean> {
    const { recipient, log } = this.#options
    const outcomes = await Promise.all(
      open.orders.map(({ order, shipped }) => recipient.outcome(order, shipped)),
    )
    const details: string[] = []
    let isGood = true
    for (const outcome of outcomes) {
      if (!('detail' in outcome)) return false
      isGood &&= outcome.state === 'active'
      details.push(outcome.detail)
    }
    this.#open = undefined
    try {
      await this.#tell(open.action, 'closed', isGood ? 'success' : 'failure', details)
    } catch (error) {
      if (!this.#leaving.signal.aborted) log.warn({ code: codeOf(error) }, messageOf(error))
    }
    return true
  }

  /** An action that is over, or cancelled by force, wants to hear no more. */
  async #tell(
    action: string,
    execution: Execution,
    finished: Finished,
    details: readonly string[],
  ): Promise<void> {
    const url = `${this.#api.base}/deploymentBase/${encodeURIComponent(action)}/feedback`
    const short = details.map((detail) => detail.slice(0, MAX_DETAIL))
    try {
      await this.#api.send('POST', url, feedback(execution, finished, short))
    } catch (error) {
      if (!(error instanceof DdiError) || error.code !== 'hawkbit-gone') throw error
      this.#options.log.warn({ action }, 'hawkBit no longer waits for this action')
    }
  }
}

/** Nothing is wrong with the deployment: it is tried again. */
function isOurTrouble(error: unknown): boolean {
  if (error instanceof DdiError) return error.isPassing || error.code === 'hawkbit-unauthorized'
  if (error instanceof TrustError) return error.code === 'trust-store'
  return !(error instanceof AppError) || error.name === 'JournalError'
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'internal'
}

function namesOf(orders: Open['orders']): string {
  return orders.map(({ shipped }) => `${shipped.model} ${shipped.scheme}`).join(', ')
}

function urlOf({ filename, _links: links }: DdiArtifact): string {
  const link = links.download ?? links['download-http']
  if (link !== undefined) return link.href
  throw new DdiError('hawkbit-answer', `hawkBit names no place to fetch ${filename} from`)
}

function placesOf(files: readonly DdiArtifact[]): ReadonlyMap<Digest, Lying> {
  return new Map(
    files.flatMap((file) => {
      const { sha256 } = file.hashes
      return sha256 === undefined ? [] : [[sha256, { url: urlOf(file), bytes: file.size }] as const]
    }),
  )
}

/** A resource below another, whose address may carry a query. */
function beside(url: string, name: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}/${name}`
}
