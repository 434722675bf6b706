import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, messageOf } from '../../../shared/errors.ts'
import type { Report } from '../../../shared/messages/index.ts'
import type { Window } from '../../../shared/windows/index.ts'
import { engineOf, type Installable, isPackage } from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { JournalError } from '../errors.ts'
import type { CommitName } from '../journal/commit-names.ts'
import type { Change } from '../journal/journal-tables.ts'
import type { Installation } from '../journal/records.ts'
import { ackReport, installReport, type Refusal, refusalOf } from '../reports.ts'
import { INSTALLING, type InstallEvent, RESTARTS_ALLOWED } from '../transitions/install-table.ts'
import { isTerminal, nextState } from '../transitions/transitions.ts'
import { advance, loopedIn, newInstallation, SUPERSEDED } from './install-advance.ts'
import { work } from './install-steps.ts'
import { quarantined } from './quarantine.ts'
import { notGoneBackTo } from './rollback-target.ts'
import { artifactsOfAssignment, wantedArtifacts } from './wanted-artifacts.ts'

/** Pause before a step is tried again because the journal could not be written, ms. */
const JOURNAL_PAUSE_MS = 5_000

interface Run {
  readonly abort: AbortController
  readonly ended: Promise<void>
}

/** Drives installations through the table, one per model at a time. */
export class Installer {
  readonly #context: AgentContext
  readonly #runs = new Map<string, Run>()

  constructor(context: AgentContext) {
    this.#context = context
  }

  /** After a start: goes on with what was under way. `clean`: the last run ended in order. */
  async resume(clean: boolean): Promise<void> {
    for (const job of this.#journal.all('installation')) {
      const { model } = job.assignment
      if (!isTerminal(INSTALLING, job.step)) await this.#restarted(job, clean)
      this.#start(model)
    }
  }

  /** The order was checked: from here on it is durable and acknowledged. @throws JournalError */
  accept(order: string, assignment: Installable, windows: readonly Window[] = []): void {
    const { model, counter, variant } = assignment
    const now = this.#context.clock.now()
    const reports = [ackReport(order, now), installReport(order, assignment, 'accepted', now)]
    const counted: Change = { kind: 'counter', key: model, value: { model, counter, variant } }
    const run = this.#runs.get(model)
    if (!run) {
      const job = newInstallation(order, assignment, windows)
      this.#write('install.accepted', job, reports, [counted])
      this.#start(model)
      return
    }
    const queued: Change = {
      kind: 'queued',
      key: model,
      value: { order, assignment, windows: [...windows] },
    }
    const displaced = this.#displace(model)
    const told = [...(displaced?.reports ?? []), ...reports]
    const changes = [counted, ...(displaced?.changes ?? []), queued]
    this.#context.ledger.commit('install.queued', changes, told)
    run.abort.abort()
  }

  /** Resolves when no installation runs. */
  async settled(): Promise<void> {
    while (this.#runs.size > 0)
      await Promise.all([...this.#runs.values()].map(({ ended }) => ended))
  }

  get #journal() {
    return this.#context.ledger.journal
  }

  async #restarted(job: Installation, clean: boolean): Promise<void> {
    const counted = { ...job, restarts: clean ? job.restarts : job.restarts + 1 }
    this.#write('install.restarted', counted)
    const { step, restarts } = counted
    if (restarts > RESTARTS_ALLOWED[step]) await this.#advance(counted, 'looped', loopedIn(step))
  }

  #start(model: string): void {
    const abort = new AbortController()
    // A newer order was accepted in an earlier life of the agent.
    if (this.#journal.get('queued', model)) abort.abort()
    this.#runs.set(model, { abort, ended: this.#run(model, abort.signal) })
  }

  /** One installation to its end; then the one that waited, if one did, begins. Never rejects. */
  async #run(model: string, abort: AbortSignal): Promise<void> {
    const { leaving, log } = this.#context
    const release = this.#hold(model)
    try {
      await this.#drive(model, abort)
      await this.#tidy(model)
    } catch (error) {
      // A bug of ours must not take the other models down with it.
      if (!leaving.aborted) log.error({ model, error }, `installation stopped: ${messageOf(error)}`)
    } finally {
      release()
    }
    const next = await this.#dequeue(model)
    if (next) this.#start(model)
    else this.#runs.delete(model)
  }

  async #drive(model: string, abort: AbortSignal): Promise<void> {
    for (;;) {
      const job = this.#journal.get('installation', model)
      if (!job || this.#context.leaving.aborted || isTerminal(INSTALLING, job.step)) return
      await this.#step(job, abort)
    }
  }

  /** One step: do its work, then write down what came of it. */
  async #step(job: Installation, abort: AbortSignal): Promise<void> {
    const { leaving } = this.#context
    const { model } = job.assignment
    const mayBeLeft = nextState(INSTALLING, job.step, 'superseded') !== undefined
    const failure = await this.#work(job, mayBeLeft ? AbortSignal.any([abort, leaving]) : leaving)
    if (leaving.aborted) return
    await this.#persist(model, async () => {
      const isSuperseded = mayBeLeft && this.#journal.get('queued', model) !== undefined
      if (isSuperseded) await this.#advance(job, 'superseded', SUPERSEDED)
      else await this.#advance(job, failure ? 'failed' : 'done', failure)
    })
  }

  async #work(job: Installation, signal: AbortSignal): Promise<Refusal | null> {
    try {
      await work(job, this.#context, signal)
      return null
    } catch (error) {
      if (!(error instanceof AppError) && !signal.aborted) {
        this.#context.log.error({ error }, `unexpected failure while ${job.step}`)
      }
      return refusalOf(error)
    }
  }

  async #advance(job: Installation, event: InstallEvent, error: Refusal | null): Promise<void> {
    const { model, variant } = job.assignment
    const links = await this.#context.slots.links(model)
    const now = this.#context.clock.now()
    const next = advance(job, event, error, { links, now })
    const { step, error: reason } = next.job
    const kept =
      step === 'rolled-back' ? quarantined(variant, engineOf(job.assignment), reason, now) : []
    this.#write(`install.${step}`, next.job, next.reports, kept)
    const level = next.job.error ? 'warn' : 'info'
    const facts = { model, variant: variant.slice(0, 12), order: job.order, ...next.job.error }
    this.#context.log[level](facts, `installation: ${job.step} → ${next.job.step}`)
    if (step === 'active' && isPackage(job.assignment)) this.#context.packagesChanged()
  }

  #write(
    name: CommitName,
    job: Installation,
    reports: readonly Report[] = [],
    changes: readonly Change[] = [],
  ): void {
    const written: Change = { kind: 'installation', key: job.assignment.model, value: job }
    const answer = isTerminal(INSTALLING, job.step) ? reports.at(-1) : undefined
    const ended = answer ? this.#endOf(job.order, answer) : []
    this.#context.ledger.commit(name, [...changes, written, ...ended], reports)
  }

  #endOf(order: string, answer: Report): Change[] {
    return [
      ...this.#context.ledger.oldestOver('ended'),
      { kind: 'ended', key: order, value: { order, answer } },
    ]
  }

  /** The order that waited makes way for a newer one. */
  #displace(model: string): { changes: Change[]; reports: Report[] } | undefined {
    const waiting = this.#journal.get('queued', model)
    if (!waiting) return undefined
    const now = this.#context.clock.now()
    const error = SUPERSEDED
    const report = installReport(waiting.order, waiting.assignment, 'failed', now, { error })
    return { changes: this.#endOf(waiting.order, report), reports: [report] }
  }

  /** Makes the order that waited the installation of its model. */
  async #dequeue(model: string): Promise<boolean> {
    const { leaving } = this.#context
    while (!leaving.aborted) {
      const queued = this.#journal.get('queued', model)
      if (!queued) return false
      const job = newInstallation(queued.order, queued.assignment, queued.windows)
      const written = await this.#persist(model, async () => {
        this.#write('install.dequeued', job, [], [{ kind: 'queued', key: model }])
      })
      if (written) return true
    }
    return false
  }

  /** False when the journal could not be written; after a pause, so that the caller may try again. */
  async #persist(model: string, write: () => Promise<void>): Promise<boolean> {
    const { leaving, log } = this.#context
    try {
      await write()
      return true
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      log.error({ model, code: error.code }, messageOf(error))
      await sleep(JOURNAL_PAUSE_MS, undefined, { signal: leaving }).catch(() => {})
      return false
    }
  }

  /** What the installation needs again after a restart is not given up for room. */
  #hold(model: string): () => void {
    const job = this.#journal.get('installation', model)
    if (!job || isTerminal(INSTALLING, job.step)) return () => {}
    const needed = artifactsOfAssignment(job.assignment)
    const releases = needed.map((digest) => this.#context.store.hold(digest))
    return () => {
      for (const release of releases) release()
    }
  }

  /** Keeps `current`, and `previous` unless it was taken back; the slot holds the variant now, so its download may go. */
  async #tidy(model: string): Promise<void> {
    const { slots, store, measurementLock, leaving } = this.#context
    if (leaving.aborted) return
    await measurementLock.during(leaving, async () => {
      const left = notGoneBackTo(this.#journal.get('installation', model))
      if (left !== null) await slots.forgetPrevious(model, left)
      await slots.collect(model)
      for (const variant of await slots.variants(model)) await store.forget(variant)
    })
    await store.collectPartials(wantedArtifacts(this.#journal))
  }
}
