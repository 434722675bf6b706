import type { Logger } from 'pino'
import {
  type CapturedSample,
  MOST_SAMPLE_BYTES,
  parseCaptured,
} from '../../shared/capture/index.ts'
import { type Digest, digestOf } from '../../shared/digest.ts'
import { freeBytes } from '../../shared/durable/index.ts'
import { isDiskFull } from '../../shared/errors.ts'
import type { DeviceId } from '../../shared/ids.ts'
import { formatBytes } from '../../shared/units.ts'
import type { CollectedSample, SampleDesk } from '../fleet/index.ts'
import { BatchWriter, capturedSamples, type Db, models, variants } from '../storage/index.ts'
import { misfit } from './fits.ts'
import {
  bytesHere,
  devicesHere,
  readPart,
  removeFolder,
  removeSample,
  samplesHere,
  settlePart,
  writeBlock,
} from './sample-files.ts'

export interface SampleKeeping {
  /** Most that samples of all devices take, bytes; 0: none are collected. */
  readonly quotaBytes: number
  /** So long they are kept, ms. */
  readonly keptMs: number
}

/** What the way to devices asks for, and what keeps it in bounds. */
export interface SampleStore extends SampleDesk {
  /** What is too old, too much, or nobody's. */
  sweep(): Promise<void>
}

interface SampleStoreOptions extends SampleKeeping {
  /** Data directory of this planner. */
  readonly data: string
  readonly db: Db
  readonly now: () => Date
  readonly log: Logger
}

/** For everything else that a planner writes. */
const LEFT_FREE_BYTES = 64 * 2 ** 20
const UNTOLD_AT_ONCE = 256

export function createSampleStore(options: SampleStoreOptions): SampleStore {
  return new Store(options)
}

class Store implements SampleStore {
  readonly #options: SampleStoreOptions
  readonly #concerned: BatchWriter<DeviceId, boolean>
  #isFullTold = false

  constructor(options: SampleStoreOptions) {
    this.#options = options
    this.#concerned = new BatchWriter(async (devices) => {
      const concerned = await capturedSamples.concernedOf(options.db, devices)
      return devices.map((device) => concerned.has(device))
    })
  }

  concerns(device: DeviceId): Promise<boolean> {
    return this.#concerned.add(device)
  }

  async next(device: DeviceId): Promise<CollectedSample | 'no-room' | undefined> {
    const { data, db, quotaBytes } = this.#options
    if (quotaBytes === 0) return undefined
    for (;;) {
      const offered = await capturedSamples.nextOffered(db, device)
      if (!offered) return undefined
      const { bytes, digest } = offered
      const most = Math.min(MOST_SAMPLE_BYTES, quotaBytes)
      if (bytes > most) {
        await this.#refuse(device, digest, `it has ${bytes} bytes, and ${most} is the most`)
        continue
      }
      if ((await freeBytes(data)) < bytes + LEFT_FREE_BYTES) return this.#noRoom()
      return { ...offered, here: await bytesHere(data, device, digest, bytes) }
    }
  }

  async append(
    device: DeviceId,
    { digest }: CollectedSample,
    position: number,
    block: Uint8Array,
  ): Promise<boolean> {
    try {
      await writeBlock(this.#options.data, device, digest, position, block)
      return true
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#noRoom()
      return false
    }
  }

  async finish(device: DeviceId, wanted: CollectedSample): Promise<string | undefined> {
    const { data, db, now } = this.#options
    const bytes = await readPart(data, device, wanted.digest)
    const checked = await this.#check(bytes, wanted)
    if ('problem' in checked) {
      await this.#refuse(device, wanted.digest, checked.problem)
      return checked.problem
    }
    // The file first: of one that is named its bytes are on disk.
    await settlePart(data, device, wanted.digest)
    await capturedSamples.recordKept(db, device, wanted.digest, checked.sample, now())
    await this.#keepToQuota()
    return undefined
  }

  untold(device: DeviceId): Promise<readonly Digest[]> {
    return capturedSamples.untold(this.#options.db, device, UNTOLD_AT_ONCE)
  }

  told(device: DeviceId, digests: readonly Digest[]): Promise<void> {
    return capturedSamples.markTold(this.#options.db, device, digests)
  }

  async sweep(): Promise<void> {
    const { data, db, now, keptMs } = this.#options
    await capturedSamples.forgetBefore(db, new Date(now().getTime() - keptMs))
    await this.#keepToQuota()
    for (const device of await devicesHere(data)) {
      const held = await capturedSamples.heldBy(db, device)
      if (held.size === 0) await removeFolder(data, device)
      else
        for (const digest of await samplesHere(data, device))
          if (!held.has(digest)) await removeSample(data, device, digest)
    }
  }

  async #check(
    bytes: Buffer | undefined,
    { digest, model }: CollectedSample,
  ): Promise<{ readonly sample: CapturedSample } | { readonly problem: string }> {
    const { db } = this.#options
    if (bytes === undefined || digestOf(bytes) !== digest)
      return { problem: 'its bytes are not those that were promised' }
    const sample = parseCaptured(bytes)
    if (!sample) return { problem: 'its bytes are no sample' }
    const variant = await variants.variantByDigest(db, sample.variant)
    const revision = variant && (await models.revisionOf(db, model, variant.source))
    if (!revision) return { problem: `it names a variant that is none of ${model}` }
    const problem = misfit(sample, revision.facts)
    return problem === undefined ? { sample } : { problem }
  }

  async #refuse(device: DeviceId, digest: Digest, problem: string): Promise<void> {
    const { data, db, now } = this.#options
    await capturedSamples.recordRefused(db, device, digest, problem, now())
    await removeSample(data, device, digest)
  }

  /** The device that takes most gives way, its oldest first. */
  async #keepToQuota(): Promise<void> {
    const { data, db, quotaBytes } = this.#options
    const held = new Map<DeviceId, number>()
    for (const { device, bytes } of await capturedSamples.keptByDevice(db)) held.set(device, bytes)
    const total = () => [...held.values()].reduce((sum, bytes) => sum + bytes, 0)
    while (total() > quotaBytes) {
      const [most] = [...held].sort(([, a], [, b]) => b - a)
      const oldest = most && (await capturedSamples.oldestKept(db, most[0]))
      if (!most || !oldest) return
      await capturedSamples.recordDropped(db, most[0], oldest.digest)
      await removeSample(data, most[0], oldest.digest)
      held.set(most[0], most[1] - oldest.bytes)
    }
  }

  #noRoom(): 'no-room' {
    const { data, log } = this.#options
    if (!this.#isFullTold) {
      log.warn(
        `no room under ${data} for samples of devices: ${formatBytes(LEFT_FREE_BYTES)} stay free for the rest; free some, or give serve a smaller --samples-quota. They wait on their devices`,
      )
    }
    this.#isFullTold = true
    return 'no-room'
  }
}
