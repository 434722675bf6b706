import { join } from 'node:path'
import type { TargetFile } from '@tufjs/models'
import type { Digest } from '../../shared/digest.ts'
import { invariant } from '../../shared/errors.ts'
import type { SaidProbe, VouchedProbe } from '../../shared/messages/index.ts'
import { isOneOf } from '../../shared/open-words.ts'
import { RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import { SerialQueue } from '../../shared/serial-queue.ts'
import {
  anchorDigest,
  isOfPackage,
  metadataFile,
  type Offer,
  REPOSITORIES,
  type RepositoryName,
  type Shipment,
  type ShipmentStatement,
  TRUST_LIMITS,
  TrustError,
  type TrustLimits,
  targetPath,
} from '../../shared/trust/index.ts'
import {
  type DeviceFacts,
  directorPackage,
  directorTarget,
  imagePackage,
  imageTarget,
  requireAgreement,
  requirePackageAgreement,
} from './agreement.ts'
import type { Installable, TrustedAssignment, TrustedPackage } from './assignment.ts'
import { DurableStore } from './durable-store.ts'
import { type RefreshedRepository, RepositoryClient, type RootSigned } from './repository-client.ts'
import { verifySignedProbe } from './signed-probe.ts'
import { verifySignedShipment } from './signed-shipment.ts'
import { Deadline, fetchBounded, type MetadataSource, sourceOf } from './source.ts'
import { spokenTo, statementOf } from './statement.ts'
import { StateFile } from './trust-state.ts'
import { TrustedClock, type WallClock } from './trusted-clock.ts'

export interface DeviceTrustOptions extends DeviceFacts {
  /** Owned by this alone; one per anchor. */
  readonly dir: string
  readonly device: string
  /** Digest of the anchor: the first root of each repository, which come with the first offer. */
  readonly anchor: Digest
  readonly clock: WallClock
  /** As Node names it; default: this process's own. */
  readonly architecture?: string
  readonly limits?: Partial<TrustLimits>
}

/** What the director wants of this device, all of it verified. */
export interface Verified {
  /** Version of the director's targets. */
  readonly version: number
  readonly issuedAt: string
  readonly assignments: readonly Installable[]
}

/** What another updater brings, all of it verified: an assignment that the device counts itself. */
export type Shipped = Omit<TrustedAssignment, 'counter'>

export type Sources = Readonly<Record<RepositoryName, MetadataSource>>

/**
 * Uptane 2.1 §5.4.4.2, full verification. One call of `verify` at a time: they queue. Nothing is
 * installed here; what is remembered is metadata that verified, and what must never go back.
 */
export class DeviceTrust {
  readonly #options: DeviceTrustOptions
  readonly #clients: Readonly<Record<RepositoryName, RepositoryClient>>
  readonly #state: StateFile
  readonly #clock: TrustedClock
  #queue = new SerialQueue()

  private constructor(options: DeviceTrustOptions, state: StateFile) {
    const { dir, device, clock, limits = {} } = options
    this.#options = options
    this.#state = state
    this.#clock = new TrustedClock(clock, state)
    const client = (name: RepositoryName) =>
      new RepositoryClient({
        store: new DurableStore(join(dir, name)),
        limits,
        ...(name === 'director' && { check: spokenTo(device) }),
      })
    this.#clients = { director: client('director'), image: client('image') }
  }

  /** @throws TrustError `trust-store` */
  static async open(options: DeviceTrustOptions): Promise<DeviceTrust> {
    return new DeviceTrust(options, await StateFile.open(new DurableStore(options.dir)))
  }

  /** @throws TrustError named after the attack; then nothing is to be installed */
  verify(sources: Sources): Promise<Verified> {
    return this.#queue.run(() => this.#doubting(() => this.#verify(sources)))
  }

  /** The same, for metadata that came in one message. */
  verifyOffer(offer: Offer): Promise<Verified> {
    return this.verify({ director: sourceOf(offer.director), image: sourceOf(offer.image) })
  }

  /** What the director asks this device to measure. @throws TrustError named after the attack */
  verifyProbe(probe: VouchedProbe): Promise<SaidProbe> {
    const sources = {
      director: sourceOf(probe.roots.director),
      image: sourceOf(probe.roots.image),
    }
    return this.#queue.run(() =>
      this.#doubting(async () => {
        await this.#settle(sources)
        const root = await this.#clients.director.followRoots(sources.director, (root) =>
          this.#timeUnder(root),
        )
        const statement = verifySignedProbe(probe, root, this.#options.device, this.#clock.now())
        await this.#clock.monitor(new Date(statement.issuedAt), timeKeysOf(root))
        return statement.order
      }),
    )
  }

  /**
   * What another updater brings for a class of devices: believed where the director's keys vouch for the choice and the
   * release keys for the bytes, as of an assignment. It names no device: which one gets it is the updater's to say.
   * @throws TrustError named after the attack; then nothing is to be installed
   */
  verifyShipment(shipment: Shipment): Promise<Shipped[]> {
    const { roots, image: files, vouched } = shipment
    const sources = {
      director: sourceOf(roots.director),
      image: sourceOf({ ...roots.image, ...files }),
    }
    return this.#queue.run(() =>
      this.#doubting(async () => {
        await this.#settle(sources)
        const root = await this.#clients.director.followRoots(sources.director, (root) =>
          this.#timeUnder(root),
        )
        const statement = verifySignedShipment(vouched, root, this.#clock.now())
        await this.#clock.monitor(new Date(statement.issuedAt), timeKeysOf(root))
        const image = await this.#clients.image.refresh(sources.image, () => this.#clock.now())
        await this.#forgetCountersOf(image)
        return await this.#shipped(statement, image)
      }),
    )
  }

  async #shipped(statement: ShipmentStatement, image: RefreshedRepository): Promise<Shipped[]> {
    const { device, ...facts } = this.#options
    const { class: name, variants, issuedAt, expires } = statement
    const shipped: Shipped[] = []
    for (const { digest, bytes: length, ...custom } of variants) {
      const { model, runtime } = custom
      if (!isOneOf(RUNTIME_NAMES, runtime)) {
        throw new TrustError('wrong-class', `${model} needs ${runtime}, which is not known here`)
      }
      const path = targetPath(model, digest, runtime)
      const found = await image.find(path)
      if (!found) {
        throw new TrustError('online-key-compromise', `${path} is shipped, but was never released`)
      }
      // The counter of assignments is the device's own affair: nothing is held against it here.
      const director = { path, length, digest, custom: { ...custom, class: name, counter: 1 } }
      requireAgreement({
        director,
        image: imageTarget(found.target),
        device: facts,
        installedCounter: this.#installedCounter(model),
      })
      const { blockList, runtime: _runtime, ...described } = custom
      const order = { digest, length }
      const validity = { device, issuedAt, expiresAt: expires }
      shipped.push({
        ...described,
        runtime,
        class: name,
        ...namedBy(order, blockList),
        ...validity,
      })
    }
    requireOnePerModel(shipped)
    return shipped
  }

  /** What has expired may be the fault of a clock: the refusal says whose, and the remedy. */
  async #doubting<T>(verify: () => Promise<T>): Promise<T> {
    try {
      return await verify()
    } catch (error) {
      const doubt = this.#clock.doubt()
      if (!(error instanceof TrustError) || error.code !== 'freeze' || doubt === undefined)
        throw error
      const { message, details } = error
      throw new TrustError('freeze', `${message}; ${doubt}`, details, { cause: error })
    }
  }

  /** To be called when a variant is committed: from now on no older release is accepted. Durable when it resolves. */
  installed({ model, releaseCounter }: Installable): Promise<void> {
    return this.#queue.run(async () => {
      const { counters } = this.#state.state
      if (releaseCounter <= (counters[model] ?? 0)) return
      await this.#state.change({ counters: { ...counters, [model]: releaseCounter } })
    })
  }

  /** Never goes back: for everything that asks whether something has expired. */
  now(): Date {
    return this.#clock.now()
  }

  /** To be called now and then, and before a stop: how late it is outlives a restart. */
  keepTime(): Promise<void> {
    return this.#queue.run(() => this.#clock.keep())
  }

  /** For the birth: newer roots are what the planner has to send. */
  async rootVersions(): Promise<Readonly<Record<RepositoryName, number>>> {
    const [director = 0, image = 0] = await Promise.all(
      REPOSITORIES.map((name) => this.#clients[name].rootVersion()),
    )
    return { director, image }
  }

  /** The first roots, held against the digest that was given at setup. Done once, or once more after a spoiled disk. */
  async #settle(sources: Sources): Promise<void> {
    const versions = await this.rootVersions()
    if (versions.director > 0 && versions.image > 0) return
    const limits = { ...TRUST_LIMITS, ...this.#options.limits }
    const first = async (name: RepositoryName) => {
      const file = metadataFile('root', 1)
      const bytes = await fetchBounded(sources[name], file, limits.rootBytes, new Deadline(limits))
      if (bytes) return bytes
      throw new TrustError('drop-request', `${file} of the ${name} repository is missing`)
    }
    const roots = { director: await first('director'), image: await first('image') }
    const { director, image } = roots
    if (
      anchorDigest({ v: 1, director: `${director}`, image: `${image}` }) !== this.#options.anchor
    ) {
      throw new TrustError(
        'arbitrary-software',
        'the first roots are not those this device was set up to believe: check what was given as --trust',
      )
    }
    for (const name of REPOSITORIES) {
      if (versions[name] === 0) await this.#clients[name].adopt(roots[name])
    }
  }

  async #verify(sources: Sources): Promise<Verified> {
    await this.#settle(sources)
    const director = await this.#clients.director.refresh(sources.director, (root) =>
      this.#timeUnder(root),
    )
    const targets = director.trusted.targets('targets')
    if (!targets) throw new TrustError('drop-request', 'the director has no targets')
    const statement = statementOf({ signed: targets })
    await this.#clock.monitor(new Date(statement.issuedAt), timeKeysOf(director.trusted.root))

    const image = await this.#clients.image.refresh(sources.image, () => this.#clock.now())
    await this.#forgetCountersOf(image)
    const assignments: Installable[] = []
    const paths = Object.keys(targets.targets)
    for (const path of paths) {
      try {
        assignments.push(await this.#assignment(path, director, image))
      } catch (error) {
        throw paths.length > 1 ? asPartial(error, path, paths.length) : error
      }
    }
    requireOnePerModel(assignments)
    return { version: targets.version, issuedAt: statement.issuedAt, assignments }
  }

  async #timeUnder(root: RootSigned): Promise<Date> {
    await this.#clock.forgetUnless(timeKeysOf(root))
    return this.#clock.now()
  }

  async #assignment(
    path: string,
    director: RefreshedRepository,
    image: RefreshedRepository,
  ): Promise<Installable> {
    const { device, ...facts } = this.#options
    const signed = director.trusted.targets('targets')
    const wanted = signed?.targets[path]
    if (!signed || !wanted) throw new TrustError('mix-and-match', `nobody assigns ${path}`)
    const found = await image.find(path)
    if (!found) {
      throw new TrustError('online-key-compromise', `${path} is assigned, but was never released`)
    }
    const validity = {
      device,
      issuedAt: statementOf({ signed }).issuedAt,
      expiresAt: new Date(signed.expires).toISOString(),
    }
    const believed = isOfPackage(wanted.unrecognizedFields.custom)
      ? this.#package(wanted, found.target)
      : this.#variant(wanted, found.target, facts)
    return { ...believed, ...validity }
  }

  #variant(
    wanted: TargetFile,
    released: TargetFile,
    device: DeviceFacts,
  ): Believed<TrustedAssignment> {
    const order = directorTarget(wanted)
    requireAgreement({
      director: order,
      image: imageTarget(released),
      device,
      installedCounter: this.#installedCounter(order.custom.model),
    })
    const { blockList, runtime, ...described } = order.custom
    invariant(isOneOf(device.runtimes, runtime), 'what was agreed on runs here')
    return { ...described, runtime, ...namedBy(order, blockList) }
  }

  #package(wanted: TargetFile, released: TargetFile): Believed<TrustedPackage> {
    const order = directorPackage(wanted)
    requirePackageAgreement({
      director: order,
      image: imagePackage(released),
      architecture: this.#options.architecture ?? process.arch,
      installedCounter: this.#installedCounter(order.custom.model),
    })
    const { blockList, runtime, ...described } = order.custom
    invariant(isOneOf(RUNTIME_NAMES, runtime), 'what was agreed on is known here')
    return { ...described, runtime, selfTest: null, ...namedBy(order, blockList) }
  }

  #installedCounter(model: string): number {
    return this.#state.state.counters[model] ?? 0
  }

  /**
   * Fast-forward recovery for release counters: when every release key was replaced, what the old
   * ones counted up to holds no longer. A rotation that keeps a key keeps the counters.
   */
  async #forgetCountersOf(image: RefreshedRepository): Promise<void> {
    const keys = image.trusted.root.roles.targets?.keyIDs ?? []
    const { counterKeys } = this.#state.state
    if (counterKeys.length > 0 && !counterKeys.some((key) => keys.includes(key))) {
      await this.#state.change({ counters: {}, counterKeys: keys })
    } else if (counterKeys.join() !== keys.join()) {
      await this.#state.change({ counterKeys: keys })
    }
  }
}

/** Without what the whole of the director's word says. */
type Believed<T extends Installable> = Omit<T, 'device' | 'issuedAt' | 'expiresAt'>

function namedBy({ digest, length }: { digest: string; length: number }, blockList: string) {
  return { variant: digest, artifact: { digest, bytes: length, blockList } }
}

/** A statement in the targets role is what raises the time floor. */
function timeKeysOf(root: RootSigned): readonly string[] {
  return root.roles.targets?.keyIDs ?? []
}

/** What belongs together is believed together: somebody lets only a part of it through. */
function asPartial(error: unknown, path: string, count: number): unknown {
  if (!(error instanceof TrustError) || error.code !== 'drop-request') return error
  const message = `${path}, one of ${count} assigned variants, cannot be verified: ${error.message}`
  return new TrustError('partial-install', message, { path }, { cause: error })
}

function requireOnePerModel(assignments: readonly Pick<Installable, 'model'>[]): void {
  const models = assignments.map(({ model }) => model)
  const twice = models.find((model, index) => models.indexOf(model) !== index)
  if (twice === undefined) return
  throw new TrustError('mix-and-match', `the director assigns two variants of ${twice} at once`)
}
