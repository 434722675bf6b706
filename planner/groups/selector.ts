import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'
import { labelKeySchema, labelValueSchema } from '../../shared/labels.ts'
import { FACTS, type Subject, valuesOf } from './subject.ts'

/** One condition on a device: `in` holds where one of its values of the key is among these. */
export const termSchema = z.discriminatedUnion('op', [
  z.object({
    op: z.enum(['in', 'not-in']),
    key: labelKeySchema,
    values: z.array(labelValueSchema).min(1).max(256),
  }),
  z.object({ op: z.enum(['exists', 'missing']), key: labelKeySchema }),
])
export type Term = z.infer<typeof termSchema>

/** Which devices: those of which every term holds. Empty: all of them. */
export const selectorSchema = z.array(termSchema).max(32)
export type Selector = readonly Term[]

const HOLDS: Readonly<Record<Term['op'], (has: readonly string[], wanted: Term) => boolean>> = {
  in: (has, wanted) => 'values' in wanted && has.some((value) => wanted.values.includes(value)),
  'not-in': (has, wanted) =>
    'values' in wanted && !has.some((value) => wanted.values.includes(value)),
  exists: (has) => has.length > 0,
  missing: (has) => has.length === 0,
}

/** A device without the label is none of its values: `site!=hall-2` holds for it. */
export function matches(selector: Selector, subject: Subject): boolean {
  return selector.every((term) => HOLDS[term.op](valuesOf(subject, term.key), term))
}

/** The forms of a term, each with what it becomes; the first that fits reads it. */
const FORMS: readonly (readonly [RegExp, (key: string, rest: string) => Term])[] = [
  [/^([\w.-]+) +(in) +\((.*)\)$/s, (key, rest) => ({ op: 'in', key, values: listOf(rest) })],
  [/^([\w.-]+) +(notin) +\((.*)\)$/s, (key, rest) => ({ op: 'not-in', key, values: listOf(rest) })],
  [/^([\w.-]+) *(!=) *(.*)$/s, (key, rest) => ({ op: 'not-in', key, values: [rest] })],
  [/^([\w.-]+) *(==?) *(.*)$/s, (key, rest) => ({ op: 'in', key, values: [rest] })],
  [/^([\w.-]+)()()$/, (key) => ({ op: 'exists', key })],
]
const MISSING = /^! *([\w.-]+)$/

const HINT = "write e.g. 'site=hall-2,class!=raspberry-pi-4', 'line in (a,b)', 'site' or '!site'"

/**
 * `site=hall-2,class!=raspberry-pi-4`: terms between commas, or between ampersands where commas are taken, all of which
 * must hold. `KEY=VALUE`, `KEY!=VALUE`, `KEY in (A,B)`, `KEY notin (A,B)`, `KEY`, `!KEY`; a key is a label, or one of
 * `device`, `class`, `state`, `agent`, `runtime`, `board`. @throws UsageError naming the term
 */
export function parseSelector(text: string): Selector {
  const words = text.split(/[,&](?![^(]*\))/).map((word) => word.trim())
  if (words.every((word) => word === ''))
    throw new UsageError(`a selector says which devices: ${HINT}`)
  return words.map((word) => parseTerm(word, text))
}

function parseTerm(word: string, text: string): Term {
  const term = readTerm(word)
  const parsed = termSchema.safeParse(term)
  if (!parsed.success) {
    const where = word === '' ? `an empty term in "${text}"` : `"${word}" in "${text}"`
    throw new UsageError(`${where} is no term of a selector: ${HINT}`)
  }
  requireKnown(parsed.data, word)
  return parsed.data
}

function readTerm(word: string): Term | undefined {
  const missing = MISSING.exec(word)?.[1]
  if (missing !== undefined) return { op: 'missing', key: missing }
  for (const [form, term] of FORMS) {
    const [, key, , rest = ''] = form.exec(word) ?? []
    if (key !== undefined) return term(key, rest)
  }
  return undefined
}

/** Of facts with few values a wrong one would match nobody, or with `!=` everybody. @throws UsageError */
function requireKnown(term: Term, word: string): void {
  const known = FACTS[term.key]?.known
  if (known === undefined || !('values' in term)) return
  const wrong = term.values.find((value) => !known.includes(value))
  if (wrong === undefined) return
  throw new UsageError(`"${word}": ${term.key} is one of ${known.join(', ')}, never ${wrong}`)
}

function listOf(text: string): string[] {
  return text.split(',').map((value) => value.trim())
}

const PRINTED: Readonly<Record<Term['op'], (key: string, values: readonly string[]) => string>> = {
  in: (key, values) => (values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values})`),
  'not-in': (key, values) =>
    values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values})`,
  exists: (key) => key,
  missing: (key) => `!${key}`,
}

/** Reads back as the same selector. */
export function printSelector(selector: Selector, between: ',' | '&' = ','): string {
  return selector
    .map((term) => PRINTED[term.op](term.key, 'values' in term ? term.values : []))
    .join(between)
}
