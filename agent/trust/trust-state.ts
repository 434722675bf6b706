import { z } from 'zod'
import { modelNameSchema } from '../../shared/ids.ts'
import { parseJson } from '../../shared/json.ts'
import type { DurableStore } from './durable-store.ts'

const FILE = 'state.json'

/** What must never go back, beside the metadata itself. Key ids: whose word it was. */
const stateSchema = z.object({
  v: z.literal(1),
  /** It is not earlier than this, ms since 1970. */
  timeFloorMs: z.number().int().nonnegative(),
  /** Keys of the director's targets role that vouch for the floor. */
  timeKeys: z.array(z.string()),
  /** Highest release counter that was installed, by model. */
  counters: z.record(modelNameSchema, z.number().int().positive()),
  /** Keys of the image repository's targets role under which the counters were installed. */
  counterKeys: z.array(z.string()),
})
export type TrustState = z.infer<typeof stateSchema>

const NOTHING: TrustState = { v: 1, timeFloorMs: 0, timeKeys: [], counters: {}, counterKeys: [] }

/** Kept twice, each copy whole or old. */
export class StateFile {
  readonly #store: DurableStore
  #state: TrustState

  private constructor(store: DurableStore, state: TrustState) {
    this.#store = store
    this.#state = state
  }

  /** @throws TrustError `trust-store` */
  static async open(store: DurableStore): Promise<StateFile> {
    const state = await store.readTwice(FILE, (bytes) => parseJson(stateSchema, bytes.toString()))
    return new StateFile(store, state ?? NOTHING)
  }

  get state(): TrustState {
    return this.#state
  }

  /** On disk before it resolves. */
  async change(changes: Partial<Omit<TrustState, 'v'>>): Promise<void> {
    const next = { ...this.#state, ...changes }
    await this.#store.writeTwice(FILE, Buffer.from(JSON.stringify(next)))
    this.#state = next
  }
}
