import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { modelNameSchema } from '../../../shared/ids.ts'

/** What an application says of a variant: `healthy <model> <variant>`, `unhealthy <model> <variant> [why]`. */
export interface HealthMessage {
  readonly model: string
  readonly variant: string
  readonly healthy: boolean
  readonly detail: string
}

const MOST_DETAIL = 300
const HOW = 'say "healthy <model> <variant>" or "unhealthy <model> <variant> [why]"'

const wordSchema = z.tuple([z.enum(['healthy', 'unhealthy']), modelNameSchema, digestSchema])

/** Hands on what applications say to whoever watches that variant now; nothing is kept for later. */
export class HealthMessages {
  readonly #listeners = new Set<(word: HealthMessage) => boolean>()

  /** What is returned ends it. The listener answers whether the word was for it. */
  listen(listener: (word: HealthMessage) => boolean): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** True where somebody watches this variant. */
  say(word: HealthMessage): boolean {
    return [...this.#listeners].map((listener) => listener(word)).includes(true)
  }

  /** One line of an application, and what it is told. */
  async answer(line: string): Promise<object> {
    const [verb, model, variant, ...rest] = line.split(' ')
    const parsed = wordSchema.safeParse([verb, model, variant])
    if (!parsed.success) return { error: HOW }
    const detail = rest
      .join(' ')
      .replace(/\p{Cc}/gu, ' ')
      .slice(0, MOST_DETAIL)
    const watched = this.say({
      model: parsed.data[1],
      variant: parsed.data[2],
      healthy: parsed.data[0] === 'healthy',
      detail,
    })
    return { v: 1, watched }
  }
}
