import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Digest, digestOf } from '../../shared/digest.ts'
import { readIfPresent, writeDurably } from '../../shared/durable/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { parseJson } from '../../shared/json.ts'
import {
  type HostFigures,
  MAX_OBSERVATIONS_BYTES,
  type ReportOf,
  type SelfCheck,
} from '../../shared/messages/index.ts'
import { parseReferenceSketch, QuantileSketch } from '../../shared/sketch/index.ts'
import { TokenBucket } from '../../shared/token-bucket.ts'
import type { Log } from '../link/index.ts'
import type { CapturedSamples } from './captured.ts'
import { type Observation, type ObservedSample, parseObservation } from './observation-line.ts'
import { keptWindowSchema, type Reference, type Taken, Window } from './window.ts'

export interface ObserverOptions {
  readonly stateDir: string
  /** A window of observations is told so often, ms. */
  readonly everyMs: number
  /** Where inferences worth a label are kept; absent: nowhere. */
  readonly captured: CapturedSamples | undefined
  readonly clock: { monotonic(): number; now(): Date }
  readonly log: Log
  readonly leaving: AbortSignal
  /** What `current` of a model names; null: nothing. */
  current(model: string): Promise<Digest | null>
  /** Where the reference of a variant lies, if it came with one. */
  sketchPath(model: string, variant: Digest): string
  readHost(): Promise<Omit<HostFigures, 'restarts'>>
  /** Kept until the planner has it. */
  report(report: ReportOf<'observations'>): void
  /** Whether the last window told of this model still waits for the planner: meanwhile the next one grows. */
  isWaiting(model: string): boolean
}

/** Samples of one model that are looked into: so many at once, then one per interval. More of them tell nothing more. */
const SAMPLES = { burst: 200, everyMs: 40 }
/** Inputs are asked for of so many inferences: they cost an application more than outputs. */
const INPUTS = { burst: 20, everyMs: 1_000 }
/** Lines of all applications before they are made to wait for their answers. */
const LINES = { burst: 500, everyMs: 2, pauseMs: 50 }
/** What `current` names is looked at so often, ms. */
const CURRENT_MS = 1_000
/** A cut of power loses no more of a window than this, ms. */
const KEPT_MS = 300_000
/** Models that a device observes; names come from applications. */
const MOST_MODELS = 64

interface Observed {
  window: Window
  /** Monotonic: since when this run has counted into it. */
  startedAt: number
  lookedAt: number
  isDirty: boolean
  readonly samples: TokenBucket
  readonly inputs: TokenBucket
  check: SelfCheck | null
}

/** Keeps how models do on this device: one window of counts per model, on disk, told once an hour. */
export class Observer {
  readonly #options: ObserverOptions
  readonly #models = new Map<string, Observed>()
  readonly #lines: TokenBucket
  readonly #captured: CapturedSamples | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #writing: Promise<void> = Promise.resolve()

  constructor(options: ObserverOptions) {
    this.#options = options
    const now = () => options.clock.monotonic()
    this.#lines = new TokenBucket(LINES.burst, LINES.everyMs, now)
    this.#captured = options.captured
  }

  /** Takes up what the last run left of these models. */
  async start(models: readonly string[]): Promise<void> {
    for (const model of models) await this.#observed(model).catch(() => undefined)
    const { everyMs } = this.#options
    const every = (ms: number, work: () => Promise<void>) =>
      this.#timers.push(setInterval(() => void work(), ms).unref())
    every(Math.min(KEPT_MS, everyMs / 2), () => this.keep())
    every(Math.min(60_000, everyMs / 4), () => this.#tellDue())
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.keep()
    await this.#captured?.settled()
  }

  /** One line of an application, and what it is told. */
  async answer(line: string): Promise<object> {
    if (!this.#lines.take())
      await sleep(LINES.pauseMs, undefined, { signal: this.#options.leaving }).catch(() => {})
    const parsed = parseObservation(line)
    if (!parsed.ok) return { error: parsed.error }
    try {
      return await this.#take(parsed.observation)
    } catch (error) {
      return { error: messageOf(error) }
    }
  }

  /** The agent's own check of a variant goes with the next report. */
  async noteCheck(model: string, variant: Digest, check: SelfCheck): Promise<void> {
    const observed = await this.#observed(model)
    if (observed?.window.variant === variant) observed.check = check
  }

  /** Writes down what has changed. */
  keep(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      for (const [model, observed] of this.#models) {
        if (!observed.isDirty) continue
        observed.isDirty = false
        await this.#write(model, observed)
      }
    })
    return this.#writing
  }

  async #take(observation: Observation): Promise<object> {
    const { model, variant, samples, outputs, inputs } = observation
    const observed = await this.#observed(model)
    if (observed === undefined)
      return { error: `nothing is installed for ${model}: what shall be observed of it?` }
    const { window } = observed
    observed.isDirty = true
    if (variant !== undefined && variant !== window.variant) {
      window.refuse('other-variant')
      return { v: 1, counted: 0, error: `current of ${model} is ${window.variant}: load it anew` }
    }
    const all = outputs || inputs ? [...samples, { outputs, inputs }] : samples
    window.inferences += Math.max(all.length, timesIn(observation))
    window.addLatency(observation)
    const { taken, refused } = this.#count(model, observed, all)
    const wanted = window.reference !== null && observed.inputs.take()
    return { v: 1, counted: taken, inputs: wanted, ...(refused && { error: refused.why }) }
  }

  #count(model: string, { window, samples }: Observed, all: readonly ObservedSample[]) {
    let refused: Exclude<Taken, 'counted'> | undefined
    let taken = 0
    for (const sample of all) {
      if (!samples.take()) {
        window.refuse('not-looked-into')
        continue
      }
      const result = window.addSample(sample)
      if (result === 'counted') {
        taken += 1
        this.#capture(window, sample, model)
      } else refused ??= result
    }
    return { taken, refused }
  }

  #capture(window: Window, sample: ObservedSample, model: string): void {
    const why = this.#captured && sample.inputs ? window.strangeness(sample) : null
    if (why) this.#captured?.keep(model, window.variant, sample, why)
  }

  /** The window of what `current` names now; that of another variant before ends untold. */
  async #observed(model: string): Promise<Observed | undefined> {
    const { clock, current } = this.#options
    const known = this.#models.get(model)
    if (known && clock.monotonic() - known.lookedAt < CURRENT_MS) return known
    const variant = await current(model)
    if (variant === null) return undefined
    if (known?.window.variant === variant) {
      known.lookedAt = clock.monotonic()
      return known
    }
    if (!known && this.#models.size >= MOST_MODELS) return undefined
    const reference = await this.#reference(model, variant)
    const kept = known ? undefined : await this.#read(model, variant)
    const window = new Window(variant, reference, clock.now(), kept)
    const observed = this.#fresh(window)
    // Another line may have been faster: its counts must not be lost.
    const meanwhile = this.#models.get(model)
    if (meanwhile && meanwhile !== known) return meanwhile
    this.#models.set(model, observed)
    return observed
  }

  #fresh(window: Window): Observed {
    const now = () => this.#options.clock.monotonic()
    return {
      window,
      startedAt: now(),
      lookedAt: now(),
      isDirty: false,
      samples: new TokenBucket(SAMPLES.burst, SAMPLES.everyMs, now),
      inputs: new TokenBucket(INPUTS.burst, INPUTS.everyMs, now),
      check: null,
    }
  }

  async #reference(model: string, variant: Digest): Promise<Reference | null> {
    const { sketchPath, log } = this.#options
    try {
      const bytes = await readIfPresent(sketchPath(model, variant))
      if (bytes === undefined) return null
      return { digest: digestOf(bytes), sketch: parseReferenceSketch(bytes.toString('utf8')) }
    } catch (error) {
      log.warn({ model }, `the reference of the variant cannot be read: ${messageOf(error)}`)
      return null
    }
  }

  #path(model: string): string {
    return join(this.#options.stateDir, 'observed', `${model}.json`)
  }

  async #read(model: string, variant: Digest) {
    try {
      const bytes = await readIfPresent(this.#path(model))
      const kept = bytes && parseJson(keptWindowSchema, bytes.toString('utf8'))
      return kept?.variant === variant ? kept : undefined
    } catch {
      // Torn or of a later version: an hour is lost, nothing else.
      return undefined
    }
  }

  async #write(model: string, observed: Observed): Promise<void> {
    try {
      const kept = observed.window.kept(this.#age(observed))
      await mkdir(join(this.#options.stateDir, 'observed'), { recursive: true })
      await writeDurably(this.#path(model), JSON.stringify(kept))
    } catch (error) {
      observed.isDirty = true
      this.#options.log.warn({ model }, `observations are not kept: ${messageOf(error)}`)
    }
  }

  #age({ window, startedAt }: Observed): number {
    return window.earlierMs + this.#options.clock.monotonic() - startedAt
  }

  async #tellDue(): Promise<void> {
    const { everyMs, isWaiting } = this.#options
    for (const [model, observed] of this.#models) {
      const { inferences } = observed.window
      if (this.#age(observed) < everyMs || isWaiting(model)) continue
      if (inferences === 0 && observed.check === null) continue
      await this.#tell(model, observed).catch((error) =>
        this.#options.log.warn({ model }, `observations are not told: ${messageOf(error)}`),
      )
    }
  }

  async #tell(model: string, observed: Observed): Promise<void> {
    const { clock, readHost, report } = this.#options
    const host = await readHost()
    const { restarts, ...kept } = observed.window.kept(this.#age(observed))
    const { variant, reference } = observed.window
    const fresh = this.#fresh(new Window(variant, reference, clock.now()))
    if (this.#models.get(model) !== observed) return
    this.#models.set(model, fresh)
    // First forgotten, then told: a cut of power between the two loses a window, and none is counted twice.
    await this.#write(model, fresh)
    report(
      bounded({
        v: 1,
        id: newId(),
        at: clock.now().toISOString(),
        kind: 'observations',
        model,
        ...kept,
        host: { ...host, restarts },
        check: observed.check,
      }),
    )
  }
}

/** Counts of a hundred million an hour are long: of such a window the latencies are told. */
function bounded(report: ReportOf<'observations'>): ReportOf<'observations'> {
  const isLong = Buffer.byteLength(JSON.stringify(report)) > MAX_OBSERVATIONS_BYTES
  return isLong ? { ...report, channels: [] } : report
}

/** Inferences whose time is told. */
function timesIn({ latencyMs, latency }: Observation): number {
  const told = latencyMs === undefined ? 0 : Array.isArray(latencyMs) ? latencyMs.length : 1
  return told + (latency ? QuantileSketch.from(latency).count : 0)
}
