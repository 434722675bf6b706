import type { z } from 'zod'

/** A JSON column as its type. What we wrote ourselves must parse: anything else is a bug, thrown as such. */
export function readJson<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  return schema.parse(JSON.parse(text))
}

export function readJsonOrNull<Schema extends z.ZodType>(
  schema: Schema,
  text: string | null,
): z.output<Schema> | null {
  return text === null ? null : readJson(schema, text)
}
