import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { readIfPresent, writeDurably } from '../../../shared/durable/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import { newId } from '../../../shared/ids.ts'
import { parseJson } from '../../../shared/json.ts'
import type { SelfCheck } from '../../../shared/messages/index.ts'
import { choiceOf } from '../../engines/index.ts'
import type { Observer } from '../../observe/index.ts'
import { isPackage, type TrustedAssignment } from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { engineFor } from '../install/installed-model.ts'

/** When the agent runs what is installed by itself, to see whether it still answers as it did. */
export interface CheckSettings {
  /** Between two checks of a model, ms; 0: never. */
  readonly everyMs: number
  /** Hours of the device's own day in which it may, from the first up to the second; equal: at any time. */
  readonly quietHours: readonly [from: number, to: number]
}

export const WEEKLY: CheckSettings = { everyMs: 7 * 86_400_000, quietHours: [2, 5] }

/** Between two looks at the clock, ms. */
const LOOK_MS = 600_000
/** Of the probe: enough to tell that a device became slower, too short to be in anybody's way. */
const PROBE = { measureMs: 500, timeoutMs: 60_000 }
const MOST_DETAIL = 300

const lastSchema = z.record(z.string(), z.iso.datetime())

/** A check of each model once in a while, one at a time, beside no installation and no measurement. */
export class SelfChecks {
  readonly #context: AgentContext
  readonly #observer: Pick<Observer, 'noteCheck'>
  readonly #settings: CheckSettings
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(
    context: AgentContext,
    observer: Pick<Observer, 'noteCheck'>,
    settings: CheckSettings,
  ) {
    this.#context = context
    this.#observer = observer
    this.#settings = settings
  }

  start(): void {
    const { everyMs } = this.#settings
    if (everyMs === 0) return
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, everyMs / 2)).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  #look(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#checkDue()
      .catch((error) => this.#context.log.warn(`the check of models stopped: ${messageOf(error)}`))
      .finally(() => {
        this.#isRunning = false
      })
  }

  async #checkDue(): Promise<void> {
    const { slots, clock, leaving, log } = this.#context
    const last = await this.#read()
    const models = await slots.models()
    // A model that is new was tested when it came: its time begins now.
    const known = Object.fromEntries(
      models.map((model) => [model, last[model] ?? clock.now().toISOString()]),
    )
    if (models.some((model) => last[model] === undefined)) await this.#write(known)
    for (const model of models) {
      const since = clock.now().getTime() - Date.parse(known[model] ?? '')
      // A clock that went back would else put it off for as long as it went.
      const isDue = since >= this.#settings.everyMs || since < 0
      if (!isDue || !isQuiet(clock.now(), this.#settings) || leaving.aborted) continue
      const assignment = await this.#activeAssignment(model)
      if (!assignment) continue
      const check = await this.#check(assignment)
      const { ok, detail } = check
      if (!ok && !leaving.aborted)
        log.warn({ model, variant: assignment.variant }, `self-check: ${detail}`)
      await this.#observer.noteCheck(model, assignment.variant, check)
      known[model] = clock.now().toISOString()
      await this.#write(known)
    }
  }

  /** What was installed and runs; undefined while that changes. */
  async #activeAssignment(model: string): Promise<TrustedAssignment | undefined> {
    const { ledger, slots } = this.#context
    const job = ledger.journal.get('installation', model)
    if (job?.step !== 'active' || isPackage(job.assignment)) return undefined
    const { current } = await slots.links(model)
    return current === job.assignment.variant ? job.assignment : undefined
  }

  async #check(assignment: TrustedAssignment): Promise<SelfCheck> {
    const { clock, leaving, measurementLock } = this.#context
    const at = clock.now().toISOString()
    try {
      const p50Ms = await measurementLock.during(leaving, () => this.#run(assignment))
      return { at, ok: true, detail: 'it answers its golden inputs as it did', p50Ms }
    } catch (error) {
      return { at, ok: false, detail: messageOf(error).slice(0, MOST_DETAIL), p50Ms: null }
    }
  }

  /** Golden inputs, then a short probe over them. @throws AppError that says why it does not run as it did */
  async #run(assignment: TrustedAssignment): Promise<number | null> {
    const { slots, store, modelRunner, leaving } = this.#context
    const { model, variant, selfTest, artifact, runtime, scheme } = assignment
    const file = await slots.file(model, variant)
    if (!file || !(await slots.isGood(model, variant)))
      throw new Error('the file on disk is not what was installed')
    const golden = selfTest && (await store.locate(selfTest.digest))
    const engine = choiceOf(engineFor(assignment, this.#context))
    await modelRunner.selfTest({ file, engine, what: 'run', golden: golden ?? null }, leaving)
    if (!golden || !selfTest) return null
    const threads = assignment.engine?.threads ?? 1
    const { latency } = await modelRunner.probe(
      {
        ...{ v: 1, id: newId(), kind: 'probe', model, variant, artifact, runtime, scheme },
        ...{ data: selfTest, baseline: null, threads, ...PROBE },
      },
      { variant: file, data: golden, baseline: null, others: [] },
      { variant: engine, baseline: null, others: [] },
      leaving,
    )
    return latency.p50Ms
  }

  #path(): string {
    return join(this.#context.stateDir, 'observed', 'checks')
  }

  async #read(): Promise<Record<string, string>> {
    try {
      const bytes = await readIfPresent(this.#path())
      return bytes ? parseJson(lastSchema, bytes.toString('utf8')) : {}
    } catch {
      return {}
    }
  }

  async #write(last: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(dirname(this.#path()), { recursive: true })
    await writeDurably(this.#path(), JSON.stringify(last))
  }
}

/** By the device's own time zone. Hours may go over midnight: 22 to 4. */
export function isQuiet(now: Date, { quietHours: [from, to] }: CheckSettings): boolean {
  const hour = now.getHours()
  if (from === to) return true
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}
