import { z } from 'zod'

/** What a schema found wrong, before it has words. */
type Issue = z.core.$ZodRawIssue
type Code = z.core.$ZodIssueCode
type IssueOf<C extends Code> = Extract<z.core.$ZodIssue, { readonly code: C }>

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

/** A row per kind of issue; the subject of each sentence is the name of the value. */
const WORDS: { readonly [C in Code]: (issue: IssueOf<C>) => string } = {
  invalid_type: ({ expected, input }) =>
    input === undefined ? 'must be given' : `must be ${KINDS[expected] ?? expected}`,
  too_small: ({ origin, minimum, inclusive }) =>
    bound(origin, inclusive === false ? 'more than' : 'at least', minimum),
  too_big: ({ origin, maximum, inclusive }) =>
    bound(origin, inclusive === false ? 'less than' : 'at most', maximum),
  invalid_format: ({ format, pattern }) =>
    FORMATS[format] ?? (pattern === undefined ? 'is written wrong' : `must match ${pattern}`),
  not_multiple_of: ({ divisor }) => `must be a multiple of ${divisor}`,
  unrecognized_keys: ({ keys }) => `has what nobody knows: ${keys.join(', ')}`,
  invalid_union: ({ errors }) => {
    const [first] = errors[0] ?? []
    return first === undefined ? 'is of no form that is known here' : first.message
  },
  invalid_key: () => 'has a name that is not allowed',
  invalid_element: () => 'has a part that is not allowed',
  invalid_value: ({ values }) =>
    values.length === 1
      ? `must be ${String(values[0])}`
      : `must be one of ${values.map(String).join(', ')}`,
  custom: () => 'is not allowed',
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be a time such as 2026-11-29T12:00:00Z',
  date: 'must be a day such as 2026-11-29',
  url: 'must be a URL',
  base64: 'must be base64',
}

function bound(origin: string, how: string, limit: number | bigint): string {
  if (origin === 'string') {
    if (how === 'at least' && limit === 1) return 'must not be empty'
    return `must have ${how} ${limit} characters`
  }
  if (origin === 'array' || origin === 'set') return `must have ${how} ${limit} entries`
  return `must be ${how} ${limit}`
}

/**
 * From now on issues that a schema gives no words of its own have ours, in all of this process: what the library says
 * ("expected number, received NaN") is for who writes schemas, and reaches users by many ways.
 */
export function speakPlainly(): void {
  z.config({ customError: issueWords })
}

function issueWords(issue: Issue): string {
  const words: Readonly<Record<string, (issue: never) => string>> = WORDS
  return words[issue.code]?.(issue as never) ?? 'is not allowed'
}
