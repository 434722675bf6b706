import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, messageOf } from '../../../shared/errors.ts'
import type { ProbeOrder, Report, ReportOf } from '../../../shared/messages/index.ts'
import type { EngineChoice } from '../../../shared/runtime/index.ts'
import { choiceOf, type EngineName } from '../../engines/index.ts'
import type { AgentContext, ProbeEngines, ProbeFiles, ProbeOutcome } from '../agent-context.ts'
import { JournalError, OrderRefused } from '../errors.ts'
import { quarantined, quarantineKey } from '../install/quarantine.ts'
import { artifactsOfProbe } from '../install/wanted-artifacts.ts'
import type { CommitName } from '../journal/commit-names.ts'
import type { Change } from '../journal/journal-tables.ts'
import type { ProbeJob } from '../journal/records.ts'
import { ackReport, probeReport, type Refusal, refusalOf } from '../reports.ts'
import { PROBE_RESTARTS_ALLOWED, PROBING, type ProbeEvent } from '../transitions/probe-table.ts'
import { isTerminal, nextState } from '../transitions/transitions.ts'

/** Silence of a connected planner after which a probe is given up, so that others get their turn, ms. */
const GIVE_UP_MS = 15 * 60_000
const JOURNAL_PAUSE_MS = 5_000
/** Answered probes kept for orders that come again. */
const ANSWERS_KEPT = 64

const CANCELLED: Refusal = { code: 'cancelled', message: 'the planner needs this probe no more' }

type Result = ReportOf<'probe'>['result']

/** What came of an order: of its variant, and of the others that it names. */
interface Outcome {
  readonly result: Result
  readonly others?: ReportOf<'probe'>['others']
}

/** Drives probe orders through their table, one after another in the order of their arrival. */
export class Prober {
  readonly #context: AgentContext
  #running: { readonly order: string; readonly abort: AbortController } | undefined
  #busy = false
  #loop: Promise<void> = Promise.resolve()

  constructor(context: AgentContext) {
    this.#context = context
  }

  /** After a start: goes on with what was under way. `clean`: the last run ended in order. */
  resume(clean: boolean): void {
    for (const job of this.#journal.all('probe')) {
      if (isTerminal(PROBING, job.step)) continue
      // Only the one at work can have to do with the agent's death.
      const restarts = job.restarts + (clean || job.step === 'accepted' ? 0 : 1)
      const counted = { ...job, restarts }
      this.#write('probe.restarted', counted)
      if (restarts > PROBE_RESTARTS_ALLOWED[job.step]) {
        const deaths = `the agent died ${restarts} times in a row while ${job.step} this variant`
        this.#advance(counted, 'looped', {
          result: failed({ code: 'restart-loop', message: deaths }),
        })
      }
    }
    this.#wake()
  }

  /** Probes that are accepted and not answered. */
  get open(): number {
    return this.#journal.all('probe').filter(({ step }) => !isTerminal(PROBING, step)).length
  }

  /** From here on the order is durable and acknowledged. @throws JournalError */
  accept(order: ProbeOrder): void {
    const job: ProbeJob = { order, step: 'accepted', restarts: 0, answer: null }
    this.#write('probe.accepted', job, [ackReport(order.id, this.#context.clock.now())])
    this.#wake()
  }

  /** @throws JournalError */
  cancel(order: string): void {
    const job = this.#journal.get('probe', order)
    if (!job || isTerminal(PROBING, job.step)) return
    if (this.#running?.order === order) this.#running.abort.abort()
    else this.#advance(job, 'cancelled', { result: failed(CANCELLED) })
  }

  /** Resolves when no probe is left to do. */
  async settled(): Promise<void> {
    while (this.#busy) await this.#loop
  }

  get #journal() {
    return this.#context.ledger.journal
  }

  #wake(): void {
    if (this.#busy) return
    this.#busy = true
    this.#loop = this.#drain()
  }

  async #drain(): Promise<void> {
    const { leaving, log } = this.#context
    for (;;) {
      const job = this.#journal.all('probe').find(({ step }) => !isTerminal(PROBING, step))
      if (!job || leaving.aborted) break
      try {
        await this.#run(job.order.id)
      } catch (error) {
        if (leaving.aborted) break
        log.error({ order: job.order.id, error }, `probe stopped: ${messageOf(error)}`)
        // The journal may be writable again later; a bug of ours must at least not spin.
        await sleep(JOURNAL_PAUSE_MS, undefined, { signal: leaving }).catch(() => {})
      }
    }
    this.#busy = false
  }

  async #run(order: string): Promise<void> {
    const { leaving, store } = this.#context
    const abort = new AbortController()
    this.#running = { order, abort }
    const held: (() => void)[] = []
    try {
      for (;;) {
        const job = this.#journal.get('probe', order)
        if (!job || leaving.aborted || isTerminal(PROBING, job.step)) return
        if (held.length === 0) {
          for (const digest of artifactsOfProbe(job.order)) held.push(store.hold(digest))
        }
        await this.#step(job, abort.signal)
      }
    } finally {
      this.#running = undefined
      for (const release of held) release()
    }
  }

  async #step(job: ProbeJob, abort: AbortSignal): Promise<void> {
    const { leaving, log } = this.#context
    const signal = AbortSignal.any([abort, leaving])
    try {
      const outcome = await this.#work(job, signal)
      if (leaving.aborted) return
      if (abort.aborted) this.#advance(job, 'cancelled', { result: failed(CANCELLED) })
      else this.#advance(job, 'done', outcome)
    } catch (error) {
      if (leaving.aborted || error instanceof JournalError) throw error
      if (abort.aborted) {
        this.#advance(job, 'cancelled', { result: failed(CANCELLED) })
        return
      }
      if (!(error instanceof AppError)) log.error({ error }, `unexpected failure while ${job.step}`)
      this.#advance(job, 'failed', { result: failed(refusalOf(error)) })
    }
  }

  /** The step's work; a result where the step is the last. */
  async #work({ order, step }: ProbeJob, signal: AbortSignal): Promise<Outcome | undefined> {
    const { measurementLock, modelRunner } = this.#context
    if (step === 'accepted') return undefined
    const files = await this.#fetch(order, signal)
    if (step === 'downloading') return undefined
    // Before it is this one's turn: installations and downloads need not wait until the device is at rest.
    await modelRunner.atRest(order, signal)
    const { others } = order
    if (others) {
      const [first, ...rest] = await measurementLock.during(signal, () =>
        modelRunner.probeAll(order, files, this.#enginesFor(order), signal),
      )
      const named = rest.flatMap((outcome, i) => {
        const probe = others[i]?.probe
        return probe === undefined ? [] : [{ probe, result: resultOf(outcome) }]
      })
      return { result: resultOf(first as ProbeOutcome), others: named }
    }
    const record = await measurementLock.during(signal, () =>
      modelRunner.probe(order, files, this.#enginesFor(order), signal),
    )
    return { result: resultOf({ record }) }
  }

  /** They may have gone since the order came. @throws OrderRefused */
  #enginesFor({ runtime, accelerator, baseline, others = [] }: ProbeOrder): ProbeEngines {
    return {
      variant: this.#choiceOf({ runtime, accelerator }),
      baseline: baseline && this.#choiceOf(baseline),
      others: others.map((one) => this.#choiceOf(one)),
    }
  }

  #choiceOf(name: EngineName): EngineChoice {
    const engine = this.#context.engines.find(name)
    if (engine !== undefined) return choiceOf(engine)
    throw new OrderRefused('wrong-runtime', `${name.runtime} is no longer here`)
  }

  async #fetch(order: ProbeOrder, signal: AbortSignal): Promise<ProbeFiles> {
    const options = { giveUpMs: GIVE_UP_MS, signal }
    const { store } = this.#context
    const others: string[] = []
    for (const { artifact } of order.others ?? []) others.push(await store.fetch(artifact, options))
    return {
      others,
      variant: await store.fetch(order.artifact, options),
      data: await store.fetch(order.data, options),
      baseline: order.baseline && (await store.fetch(order.baseline.artifact, options)),
    }
  }

  #advance(job: ProbeJob, event: ProbeEvent, outcome: Outcome | undefined): void {
    const step = nextState(PROBING, job.step, event)
    if (step === undefined) return
    const { id, variant } = job.order
    const isEnd = isTerminal(PROBING, step)
    const now = this.#context.clock.now()
    const result = outcome?.result
    const answer = isEnd && result ? probeReport(job.order, result, now, outcome.others) : null
    const verdict = outcome ? verdictsOn(job.order, outcome, now) : []
    const drops = [...(isEnd ? this.#forgetOldest() : []), ...verdict]
    this.#write(
      `probe.${step}`,
      { ...job, step, restarts: 0, answer },
      answer ? [answer] : [],
      drops,
    )
    const facts = { order: id, variant: variant.slice(0, 12), ...(result && errorOf(result)) }
    this.#context.log.info(facts, `probe: ${job.step} → ${step}`)
  }

  #write(
    name: CommitName,
    job: ProbeJob,
    reports: readonly Report[] = [],
    drops: readonly Change[] = [],
  ): void {
    const written: Change = { kind: 'probe', key: job.order.id, value: job }
    this.#context.ledger.commit(name, [...drops, written], reports)
  }

  #forgetOldest(): Change[] {
    const ended = this.#journal.all('probe').filter(({ step }) => isTerminal(PROBING, step))
    const over = ended.slice(0, Math.max(0, ended.length + 1 - ANSWERS_KEPT))
    return over.map(({ order }) => ({ kind: 'probe', key: order.id }))
  }
}

/** What brings the runtime down is kept off this device; what runs is let in again. */
function verdictsOn(order: ProbeOrder, { result, others = [] }: Outcome, now: Date): Change[] {
  const named = new Map(order.others?.map((one) => [one.probe, one]))
  return [
    ...verdictOn(order, result, now),
    ...others.flatMap(({ probe, result }) => {
      const other = named.get(probe)
      return other ? verdictOn(other, result, now) : []
    }),
  ]
}

function verdictOn(
  order: Pick<ProbeOrder, 'variant' | 'runtime' | 'accelerator'>,
  result: Result,
  now: Date,
): Change[] {
  const { variant } = order
  if (result.outcome === 'measured')
    return [{ kind: 'quarantine', key: quarantineKey(variant, order) }]
  return quarantined(variant, order, result.error, now)
}

function resultOf(outcome: ProbeOutcome): Result {
  if ('error' in outcome) return failed(outcome.error)
  return { outcome: 'measured', record: outcome.record }
}

function failed(error: Refusal): Result {
  return { outcome: 'failed', error }
}

function errorOf(result: Result): Refusal | undefined {
  return result.outcome === 'failed' ? result.error : undefined
}
