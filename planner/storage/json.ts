import { parseJson } from '../../shared/json.ts'
import type { OpenUnion } from '../../shared/open-words.ts'

/**
 * A JSON column as its type. Rows outlive the planner that wrote them: their schemas have defaults for what was added
 * since, and open words for what was added later than we were. What does not parse then is a bug, thrown as such.
 */
export const readJson = parseJson

export function readJsonOrNull<T>(schema: OpenUnion<T>, text: string | null): T | null {
  return text === null ? null : parseJson(schema, text)
}

/** Undefined where a later planner wrote what this one has no word for: the row is none of its. */
export function readKnown<T>(schema: OpenUnion<T>, value: unknown): T | undefined {
  return schema.safeParse(value).data
}
