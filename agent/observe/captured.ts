import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type CapturedSample, parseCaptured } from '../../shared/capture/index.ts'
import { type Digest, digestOf } from '../../shared/digest.ts'
import { isMissing, messageOf } from '../../shared/errors.ts'
import type { Log } from '../link/index.ts'
import type { ObservedSample } from './observation-line.ts'
import type { Strangeness } from './window.ts'

/** A sample that lies here, and whether the planner has it. */
export interface KeptSample {
  readonly path: string
  readonly bytes: number
  /** Null for one that is named otherwise: an agent of old kept it. */
  readonly digest: Digest | null
  readonly isSent: boolean
}

/** Of one model so many a minute at most: a shift of the light is no reason to keep a thousand pictures of it. */
const BETWEEN_MS = 5_000

const NAME = /^\d+-([0-9a-f]{64})(\.sent)?\.json$/

/**
 * Inferences whose answer was unsure, or whose numbers lie outside the reference, with their inputs. Those that the planner
 * has make room first, then the oldest.
 */
export class CapturedSamples {
  readonly #root: string
  readonly #quotaBytes: number
  readonly #clock: { monotonic(): number; now(): Date }
  readonly #log: Log
  readonly #lastAt = new Map<string, number>()
  #kept: KeptSample[] | undefined
  #writing: Promise<unknown> = Promise.resolve()
  #isTold = false

  /** @param quotaBytes of all models together */
  constructor(
    stateDir: string,
    quotaBytes: number,
    clock: { monotonic(): number; now(): Date },
    log: Log,
  ) {
    this.#root = capturedFolder(stateDir)
    this.#quotaBytes = quotaBytes
    this.#clock = clock
    this.#log = log
  }

  /** Never in the way of whoever observes: what cannot be kept is not. */
  keep(
    model: string,
    variant: string,
    { inputs, outputs }: ObservedSample,
    why: Strangeness,
  ): void {
    if (!inputs || !outputs) return
    const now = this.#clock.monotonic()
    if (now - (this.#lastAt.get(model) ?? Number.NEGATIVE_INFINITY) < BETWEEN_MS) return
    this.#lastAt.set(model, now)
    const at = this.#clock.now().toISOString()
    const text = JSON.stringify({ at, variant, why, inputs, outputs })
    this.#inTurn(() => this.#write(model, text)).catch((error) => {
      if (!this.#isTold) this.#log.warn(`samples are not kept: ${messageOf(error)}`)
      this.#isTold = true
    })
  }

  async settled(): Promise<void> {
    await this.#writing
  }

  models(): Promise<string[]> {
    return entriesOf(this.#root)
  }

  /** Those of a model that the planner does not have, the oldest first; names tell that, and only so many are looked at. */
  async unsent(
    model: string,
    most = Number.POSITIVE_INFINITY,
  ): Promise<readonly { readonly digest: Digest; readonly bytes: number }[]> {
    const folder = join(this.#root, model)
    const found: { digest: Digest; bytes: number }[] = []
    for (const name of (await entriesOf(folder)).sort()) {
      if (found.length === most) break
      const { digest, isSent } = nameParts(name)
      if (digest === null || isSent) continue
      const size = await sizeOf(join(folder, name))
      if (size !== undefined) found.push({ digest, bytes: size })
    }
    return found
  }

  /** So many bytes of a sample from there on; `undefined` where there is no such sample. */
  async read(
    model: string,
    digest: Digest,
    from: number,
    most: number,
  ): Promise<Buffer | undefined> {
    const folder = join(this.#root, model)
    const name = (await entriesOf(folder)).find((one) => {
      const named = nameParts(one)
      return named.digest === digest && !named.isSent
    })
    if (name === undefined) return undefined
    const file = await open(join(folder, name), 'r').catch((error) => missing(error))
    if (!file) return undefined
    try {
      const bytes = Buffer.alloc(most)
      const { bytesRead } = await file.read(bytes, 0, most, from)
      return bytes.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** The planner wants no more of these: they make room before others do. */
  markSent(digests: readonly Digest[]): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = new Set<Digest | null>(digests)
      for (const { digest, isSent, path } of await filesBelow(this.#root)) {
        if (!isSent && wanted.has(digest)) await rename(path, path.replace(/\.json$/, '.sent.json'))
      }
      this.#kept = undefined
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => undefined)
    return done
  }

  async #write(model: string, text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    if (bytes > this.#quotaBytes) return
    this.#kept ??= (await filesBelow(this.#root)).sort(
      (a, b) => Number(b.isSent) - Number(a.isSent),
    )
    let held = this.#kept.reduce((sum, file) => sum + file.bytes, 0)
    while (held + bytes > this.#quotaBytes) {
      const first = this.#kept.shift()
      if (!first) break
      await rm(first.path, { force: true })
      held -= first.bytes
    }
    const folder = join(this.#root, model)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const digest = digestOf(text)
    const path = join(folder, `${this.#clock.now().getTime()}-${digest}.json`)
    try {
      await writeFile(path, text, { mode: 0o600 })
      this.#kept.push({ path, bytes, digest, isSent: false })
    } catch (error) {
      // A disk that is full keeps no half of one.
      await rm(path, { force: true })
      throw error
    }
  }
}

export function capturedFolder(stateDir: string): string {
  return join(stateDir, 'captured')
}

/** Of one model, the oldest first. What was torn by a cut of power is left out. */
export async function readCaptured(stateDir: string, model: string): Promise<CapturedSample[]> {
  const samples: CapturedSample[] = []
  for (const { path } of await filesIn(join(capturedFolder(stateDir), model))) {
    const bytes = await readFile(path).catch((error) => missing(error))
    const sample = bytes && parseCaptured(bytes)
    if (sample) samples.push(sample)
  }
  return samples.sort((a, b) => a.at.localeCompare(b.at))
}

async function filesBelow(root: string): Promise<KeptSample[]> {
  const models = await entriesOf(root)
  const files = await Promise.all(models.map((model) => filesIn(join(root, model))))
  return files.flat().sort((a, b) => basename(a.path).localeCompare(basename(b.path)))
}

async function filesIn(folder: string): Promise<KeptSample[]> {
  const names = await entriesOf(folder)
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name)
      const bytes = await sizeOf(path)
      return bytes === undefined ? [] : [{ path, bytes, ...nameParts(name) }]
    }),
  )
  return files.flat()
}

function nameParts(name: string): Pick<KeptSample, 'digest' | 'isSent'> {
  const [, digest = null, sent] = NAME.exec(name) ?? []
  return { digest, isSent: sent !== undefined }
}

/** Undefined where it has made room for another since. */
async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch((error) => missing(error)))?.size
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder).catch((error) => missing(error))) ?? []
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}
