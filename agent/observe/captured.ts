import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { isMissing, messageOf } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import type { Log } from '../link/index.ts'
import type { ObservedSample } from './observation-line.ts'
import type { Strangeness } from './window.ts'

const portsSchema = z.record(z.string(), z.array(z.number()))

/** One inference that is worth a label. */
export const capturedSampleSchema = z.object({
  at: z.iso.datetime(),
  variant: digestSchema,
  why: z.string().max(64),
  inputs: portsSchema,
  outputs: portsSchema,
})
export type CapturedSample = z.infer<typeof capturedSampleSchema>

interface Kept {
  readonly path: string
  readonly bytes: number
}

/** Of one model so many a minute at most: a shift of the light is no reason to keep a thousand pictures of it. */
const BETWEEN_MS = 5_000

/**
 * Inferences whose answer was unsure, or whose numbers lie outside the reference, with their inputs. On this device and
 * nowhere else; the oldest make room.
 */
export class CapturedSamples {
  readonly #root: string
  readonly #quotaBytes: number
  readonly #clock: { monotonic(): number; now(): Date }
  readonly #log: Log
  readonly #lastAt = new Map<string, number>()
  #kept: Kept[] | undefined
  #writing: Promise<void> = Promise.resolve()
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
    this.#writing = this.#writing
      .then(() => this.#write(model, text))
      .catch((error) => {
        if (!this.#isTold) this.#log.warn(`samples are not kept: ${messageOf(error)}`)
        this.#isTold = true
      })
  }

  settled(): Promise<void> {
    return this.#writing
  }

  async #write(model: string, text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    if (bytes > this.#quotaBytes) return
    this.#kept ??= await filesBelow(this.#root)
    let held = this.#kept.reduce((sum, file) => sum + file.bytes, 0)
    while (held + bytes > this.#quotaBytes) {
      const oldest = this.#kept.shift()
      if (!oldest) break
      await rm(oldest.path, { force: true })
      held -= oldest.bytes
    }
    const folder = join(this.#root, model)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, `${this.#clock.now().getTime()}-${randomUUID().slice(0, 8)}.json`)
    try {
      await writeFile(path, text, { mode: 0o600 })
      this.#kept.push({ path, bytes })
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
    try {
      samples.push(parseJson(capturedSampleSchema, await readFile(path, 'utf8')))
    } catch {
      // The next one tells as much.
    }
  }
  return samples.sort((a, b) => a.at.localeCompare(b.at))
}

async function filesBelow(root: string): Promise<Kept[]> {
  const models = await entriesOf(root)
  const files = await Promise.all(models.map((model) => filesIn(join(root, model))))
  return files.flat().sort((a, b) => basename(a.path).localeCompare(basename(b.path)))
}

async function filesIn(folder: string): Promise<Kept[]> {
  const names = await entriesOf(folder)
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name)
      return { path, bytes: (await stat(path)).size }
    }),
  )
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
