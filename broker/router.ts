import type { Planners } from './planners.ts'

export type Take = (topic: string, bytes: Uint8Array) => void

/** Where the name of the device or joiner stands. */
const NAME = /^([^/]*\/[^/]*\/[^/]*\/[^/]*)\/[^/]*(?=\/)/

/** What devices and joiners say, to the planner of this process and to those of others. */
export class Router {
  readonly #planners: Planners
  readonly #takers = new Map<string, Set<Take>>()

  constructor(planners: Planners) {
    this.#planners = planners
  }

  /** @param filter `fit/1/<fleet>/d/+/<channel>`, or the like of joiners. What is returned ends it. */
  add(filter: string, take: Take): () => Promise<void> {
    const takers = this.#takers.get(filter) ?? new Set()
    this.#takers.set(filter, takers.add(take))
    return async () => void takers.delete(take)
  }

  /** A promise where planners elsewhere are to have it. */
  route(topic: string, payload: Buffer): Promise<void> | undefined {
    const takers = this.#takers.get(topic.replace(NAME, '$1/+'))
    if (takers !== undefined) for (const take of takers) take(topic, payload)
    return this.#planners.publish(topic, payload)
  }
}
