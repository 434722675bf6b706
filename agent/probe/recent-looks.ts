import { statSync } from 'node:fs'
import { Lru } from '../../shared/lru.ts'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import type { ProbeRequest } from './request.ts'

/** As many as a tournament has candidates. */
const KEPT = 16
/** Longer ago the device may be another: libraries are replaced, memory is taken. */
const KEPT_MS = 10 * 60_000

interface Look {
  readonly record: ProbeRecord
  readonly at: number
}

/** What looks at variants found, apart from their answers: whoever only asks whether one runs, and in what memory, is told. */
export class RecentLooks {
  readonly #looks = new Lru<string, Look>(KEPT)
  readonly #now: () => number

  /** @param now ms from an arbitrary start */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Undefined where answers are wanted too, or it was not looked at lately. */
  readonly of = (request: ProbeRequest): ProbeRecord | undefined => {
    if (request.answersMs !== 0) return undefined
    const found = this.#looks.get(keyOf(request) ?? '')
    return found && this.#now() - found.at < KEPT_MS ? found.record : undefined
  }

  keep(request: ProbeRequest, record: ProbeRecord): void {
    const key = keyOf(request)
    if (key !== undefined) this.#looks.set(key, { record, at: this.#now() })
  }
}

/** Of all that a look depends on; undefined where the file is gone. */
function keyOf({
  modelPath,
  engine,
  threads,
  datasetPath,
  cores,
}: ProbeRequest): string | undefined {
  const file = statSync(modelPath, { throwIfNoEntry: false })
  if (!file) return undefined
  // Not its times: whoever uses a kept file touches it.
  const { ino, size } = file
  return JSON.stringify([modelPath, ino, size, engine, threads, datasetPath, cores])
}
