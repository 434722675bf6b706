import { z } from 'zod'

/**
 * How a reader gets on with what was said after it was written. Peers and rows are of other versions than we
 * are, in both directions: a word that is not known is kept as text or read as a stated other one, a kind that is
 * not known is told apart from what is broken, and a field that is not known is ignored. What has the wrong type,
 * or no bounds, is refused as ever; so is all that is signed and does not verify.
 */

/** A word of a vocabulary that may have grown since: known ones, and whatever else is a word. */
export type OpenWord<Known extends string> = Known | (string & Record<never, never>)

/** What every word of ours looks like, so that one we do not know can stand in tables and in lines of a log. */
export const wordSchema: z.ZodType<string, string> = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/)

/** Kept as text where it is not known. */
export function openWord<const Known extends string>(
  known: readonly Known[],
): z.ZodType<OpenWord<Known>, string> {
  return wordSchema.meta({ examples: [...known] })
}

/** Read as `otherwise` where it is not known: for words that decide what is done. */
export function wordOr<const Known extends string>(
  known: readonly Known[],
  otherwise: NoInfer<Known>,
): z.ZodType<Known, string> {
  return openWord(known).transform((word) => (isOneOf(known, word) ? word : otherwise))
}

export function isOneOf<Known extends string>(
  known: readonly Known[],
  word: string,
): word is Known {
  return (known as readonly string[]).includes(word)
}

type Member = z.ZodObject<z.ZodRawShape>

/** A union of objects that a tag tells apart, and that will have more members. */
export interface OpenUnion<T> {
  safeParse(value: unknown): z.ZodSafeParseResult<T>
}

/** @param later what can be read of a member whose tag is a word, but none of ours */
export function openUnion<Known, Later>(
  tag: string,
  known: z.ZodType<Known> & { readonly options: readonly Member[] },
  later: z.ZodType<Later>,
): OpenUnion<Known | Later> {
  const words = new Set(known.options.map(({ shape }) => (shape[tag] as z.ZodLiteral).value))
  return {
    safeParse(value) {
      const word = wordSchema.safeParse(fieldOf(value, tag)).data
      return word === undefined || words.has(word) ? known.safeParse(value) : later.safeParse(value)
    },
  }
}

/** Own properties only: a kind `toString` is none of an object's. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
