/** Shown only for work that takes longer than this, so that quick commands stay quiet. */
const QUIET_MS = 1000
/** A log file gets a line this often; a terminal redraws in place. */
const LINE_EVERY_MS = 5000
const REDRAW_EVERY_MS = 100

export interface Progress {
  /** `total` 0 where the amount of work is not known. */
  update(done: number, total: number, what?: string): void
  end(): void
}

type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean }

export function startProgress(
  title: string,
  stream: ProgressStream | undefined,
  now: () => number = performance.now.bind(performance),
): Progress {
  if (stream === undefined) return { update: () => {}, end: () => {} }
  const started = now()
  const left = new TimeLeft()
  const every = stream.isTTY === true ? REDRAW_EVERY_MS : LINE_EVERY_MS
  let shownAt = started + QUIET_MS - every
  let shown = false
  return {
    update(done, total, what = title) {
      left.saw(done, what, now())
      if (now() - shownAt < every || now() - started < QUIET_MS) return
      shownAt = now()
      shown = true
      const text =
        total > 0
          ? `${what}: ${done}/${total} (${Math.floor((100 * done) / total)} %)${left.clause(done, total, now())}`
          : what
      stream.write(stream.isTTY === true ? `\r\u001b[K${text}` : `${text}\n`)
    },
    end() {
      if (shown && stream.isTTY === true) stream.write('\r\u001b[K')
    },
  }
}

/** A part of the work that took less tells nothing of the rest. */
const TELLING_MS = 2000

/** What is left of the work that is under way, by how fast it went so far. */
class TimeLeft {
  #what: string | undefined
  #since = 0
  #from = 0

  saw(done: number, what: string, now: number): void {
    if (what === this.#what && done >= this.#from) return
    this.#what = what
    this.#since = now
    this.#from = done
  }

  clause(done: number, total: number, now: number): string {
    const [spent, part] = [now - this.#since, done - this.#from]
    if (spent < TELLING_MS || part <= 0 || done >= total) return ''
    const seconds = Math.ceil(((spent / part) * (total - done)) / 1000)
    const shown = seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
    return `, about ${shown} left`
  }
}
