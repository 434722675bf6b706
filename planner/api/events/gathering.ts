import { type Db, models, rollouts } from '../../storage/index.ts'

type Item = Readonly<Record<string, unknown>>

/** Names in one batch; more, and who shows them loads the page anew. */
const MOST_ITEMS = 100

/** What a page may follow. `item` completes a name with what costs one look at most. */
const MOVED = {
  devices: (_: Db, item: Item) => item,
  plans: async (db: Db, { model, class: classId }: Item) => {
    const found = await models.modelById(db, String(model))
    return found && { model: found.name, class: classId }
  },
  rollouts: async (db: Db, { rollout }: Item) => {
    const found = await rollouts.findRollout(db, String(rollout))
    if (found === undefined) return undefined
    const { modelName: model, class: classId, state, wave } = found
    return { rollout, model, class: classId, state, wave: wave + 1 }
  },
  alarms: (_: Db, item: Item) => item,
  models: (_: Db, item: Item) => item,
  keys: (_: Db, item: Item) => item,
  progress: (_: Db, item: Item) => item,
} as const satisfies Record<
  string,
  (db: Db, item: Item) => Promise<Item | undefined> | Item | undefined
>

export type MovedKind = keyof typeof MOVED

/** By what two items are one: the last one counts. */
const nameOf = (kind: MovedKind, item: Item) =>
  kind === 'progress' ? String(item.model) : JSON.stringify(item)

/** What moved since it was last taken, each thing once, of each kind a hundred at most. */
export class Gathering {
  readonly #db: Db
  #moved = new Map<MovedKind, { readonly items: Map<string, Item>; more: boolean }>()

  constructor(db: Db) {
    this.#db = db
  }

  get isEmpty(): boolean {
    return this.#moved.size === 0
  }

  add(kind: MovedKind, item: Item): void {
    const gathered = this.#moved.get(kind) ?? { items: new Map<string, Item>(), more: false }
    this.#moved.set(kind, gathered)
    const name = nameOf(kind, item)
    if (gathered.items.size < MOST_ITEMS || gathered.items.has(name)) gathered.items.set(name, item)
    else gathered.more = true
  }

  async take(): Promise<readonly { readonly kind: MovedKind; readonly data: string }[]> {
    const moved = this.#moved
    this.#moved = new Map()
    const batches = []
    for (const [kind, { items, more }] of moved) {
      const completed = []
      for (const item of items.values()) completed.push(await MOVED[kind](this.#db, item))
      const known = completed.filter((item) => item !== undefined)
      batches.push({ kind, data: JSON.stringify({ items: known, more }) })
    }
    return batches
  }
}
