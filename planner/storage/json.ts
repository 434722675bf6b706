import { parseJson } from '../../shared/json.ts'
import { Lru } from '../../shared/lru.ts'
import type { OpenUnion } from '../../shared/open-words.ts'

/** Texts of one schema whose values are kept: a planner reads the same rows again and again. */
const KEPT = 256
/** Longer ones are read seldom, and would hold much. */
const LONGEST_KEPT = 64 * 1024

const kept = new WeakMap<object, Lru<string, unknown>>()

/**
 * A JSON column as its type. Rows outlive the planner that wrote them: their schemas have defaults for what was added
 * since, and open words for what was added later than we were. What does not parse then is a bug, thrown as such.
 * Equal texts give the same value, frozen: half of the planner's time went into parsing what it had parsed before.
 */
export function readJson<T>(schema: OpenUnion<T>, text: string): T {
  if (text.length > LONGEST_KEPT) return parseJson(schema, text)
  let values = kept.get(schema)
  if (values === undefined) {
    values = new Lru(KEPT)
    kept.set(schema, values)
  }
  const known = values.get(text)
  if (known !== undefined) return known as T
  const value = parseJson(schema, text)
  values.set(text, deepFrozen(value))
  return value
}

export function readJsonOrNull<T>(schema: OpenUnion<T>, text: string | null): T | null {
  return text === null ? null : readJson(schema, text)
}

/** Undefined where a later planner wrote what this one has no word for: the row is none of its. */
export function readKnown<T>(schema: OpenUnion<T>, value: unknown): T | undefined {
  return schema.safeParse(value).data
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFrozen(inner)
  return Object.freeze(value)
}
