import { type Family, family, type Labels } from '../../../shared/exposition/index.ts'

/** Upper bounds of the buckets, seconds. */
const BOUNDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60] as const

/** How often what was asked and how it was answered, and how long that took. */
export class Requests {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>()
  readonly #buckets = BOUNDS.map(() => 0)
  #seconds = 0
  #all = 0

  /** @param operation a name of the table, or of what is no operation: few, whatever is asked */
  note(operation: string, status: number, seconds: number): void {
    const labels = { operation, status: String(status) }
    const name = `${operation} ${status}`
    const count = this.#counts.get(name) ?? { labels, value: 0 }
    count.value += 1
    this.#counts.set(name, count)
    this.#all += 1
    this.#seconds += seconds
    for (const [index, bound] of BOUNDS.entries()) {
      if (seconds <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    }
  }

  families(): readonly Family[] {
    const help = 'Requests of operators, by what they asked and how it was answered.'
    return [
      family('counter', 'fitment_api_requests_total', help, [...this.#counts.values()]),
      {
        kind: 'histogram',
        name: 'fitment_api_request_seconds',
        help: 'How long answers took.',
        samples: [
          ...BOUNDS.map((bound, index) => ({
            suffix: '_bucket' as const,
            labels: { le: String(bound) },
            value: this.#buckets[index] ?? 0,
          })),
          { suffix: '_bucket' as const, labels: { le: '+Inf' }, value: this.#all },
          { suffix: '_sum' as const, value: this.#seconds },
          { suffix: '_count' as const, value: this.#all },
        ],
      },
    ]
  }
}
