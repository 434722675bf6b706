import { setTimeout as sleep } from 'node:timers/promises'

/** What applications are told of `current`: that it is about to name another variant, and what it names now. */
export interface SwitchNotice {
  readonly v: 1
  readonly event: 'switching' | 'switched'
  readonly model: string
  /** `switching`: what it will name; `switched`: what it names. Null: nothing. */
  readonly variant: string | null
  /** Path of that variant's file. */
  readonly file: string | null
}

type Listener = (notice: SwitchNotice) => void

/** Time for a lock between the first notice and the switch, ms; a lock may last as long as it likes. */
const NOTICE_MS = 200
/** Of one model. Who subscribes more often has lost count. */
const MOST_LISTENERS = 64

/** Tells applications before and after each switch. Nothing is kept: who subscribes is answered what is current. */
export class SwitchNotices {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** What is returned ends it. */
  listen(model: string, listener: Listener): () => void {
    const all = this.#listeners.get(model) ?? new Set()
    if (all.size < MOST_LISTENERS) all.add(listener)
    this.#listeners.set(model, all)
    return () => {
      all.delete(listener)
      if (all.size === 0) this.#listeners.delete(model)
    }
  }

  /** Gives who listens the time to take a lock. */
  async before(notice: Omit<SwitchNotice, 'v' | 'event'>, signal: AbortSignal): Promise<void> {
    if (!this.#listeners.has(notice.model)) return
    this.#tell({ v: 1, event: 'switching', ...notice })
    await sleep(NOTICE_MS, undefined, { signal }).catch(() => {})
  }

  after(notice: Omit<SwitchNotice, 'v' | 'event'>): void {
    this.#tell({ v: 1, event: 'switched', ...notice })
  }

  #tell(notice: SwitchNotice): void {
    for (const listener of this.#listeners.get(notice.model) ?? []) listener(notice)
  }
}
