/**
 * What of JSON Schema 2020-12 our document says, checked by a reader that was not made of the schemas it checks.
 * A keyword it has never heard of throws: nothing is passed over in silence.
 */
export type Schema = Readonly<Record<string, unknown>>

type Check = (rule: never, value: unknown, place: string, at: Context) => string[]

interface Context {
  readonly schema: Schema
  readonly document: Schema
}

const IGNORED = new Set(['description', 'examples', 'default', 'format', 'title', 'deprecated'])

export function violations(
  schema: Schema | boolean,
  value: unknown,
  document: Schema,
  place = '$',
): string[] {
  if (schema === true) return []
  if (schema === false) return [`${place}: nothing is allowed`]
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (IGNORED.has(keyword)) return []
    const check = CHECKS[keyword]
    if (check === undefined) throw new Error(`the reader does not know "${keyword}"`)
    return check(rule as never, value, place, { schema, document })
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}

const say = (holds: boolean, place: string, what: string) => (holds ? [] : [`${place}: ${what}`])

const CHECKS: Readonly<Record<string, Check>> = {
  $ref(rule: string, value, place, { document }) {
    const target = rule
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
    if (target === undefined) throw new Error(`${rule} leads nowhere`)
    return violations(target as Schema, value, document, place)
  },
  type(rule: string | string[], value, place) {
    const holds = [rule].flat().some((type) => TYPES[type]?.(value))
    return say(
      holds,
      place,
      `${JSON.stringify(value)?.slice(0, 80)} is no ${[rule].flat().join(' or ')}`,
    )
  },
  properties(rule: Record<string, Schema>, value, place, { document }) {
    if (!isObject(value)) return []
    return Object.entries(rule).flatMap(([key, schema]) =>
      Object.hasOwn(value, key) ? violations(schema, value[key], document, `${place}.${key}`) : [],
    )
  },
  required(rule: string[], value, place) {
    if (!isObject(value)) return []
    return rule.flatMap((key) => say(Object.hasOwn(value, key), place, `${key} is missing`))
  },
  additionalProperties(rule: Schema | boolean, value, place, { schema, document }) {
    if (!isObject(value)) return []
    const known = Object.keys((schema.properties ?? {}) as object)
    return Object.keys(value)
      .filter((key) => !known.includes(key))
      .flatMap((key) => violations(rule, value[key], document, `${place}.${key}`))
  },
  propertyNames(rule: Schema, value, place, { document }) {
    if (!isObject(value)) return []
    return Object.keys(value).flatMap((key) => violations(rule, key, document, `${place} key`))
  },
  items(rule: Schema | boolean, value, place, { schema, document }) {
    if (!Array.isArray(value)) return []
    const before = Array.isArray(schema.prefixItems) ? schema.prefixItems.length : 0
    return value
      .slice(before)
      .flatMap((item, index) => violations(rule, item, document, `${place}[${index + before}]`))
  },
  prefixItems(rule: Schema[], value, place, { document }) {
    if (!Array.isArray(value)) return []
    return rule.flatMap((schema, index) =>
      index < value.length ? violations(schema, value[index], document, `${place}[${index}]`) : [],
    )
  },
  anyOf(rule: Schema[], value, place, { document }) {
    const all = rule.map((schema) => violations(schema, value, document, place))
    return all.some((found) => found.length === 0) ? [] : all.flat()
  },
  oneOf(rule: Schema[], value, place, { document }) {
    const fitting = rule.filter((one) => violations(one, value, document, place).length === 0)
    return say(fitting.length === 1, place, `${fitting.length} of ${rule.length} forms fit`)
  },
  allOf: (rule: Schema[], value, place, { document }) =>
    rule.flatMap((schema) => violations(schema, value, document, place)),
  not: (rule: Schema, value, place, { document }) =>
    say(violations(rule, value, document, place).length > 0, place, 'fits what it must not'),
  enum: (rule: unknown[], value, place) =>
    say(rule.includes(value), place, `${value} is none of ${rule}`),
  const: (rule: unknown, value, place) => say(rule === value, place, `${value} is not ${rule}`),
  pattern: (rule: string, value, place) =>
    say(typeof value !== 'string' || new RegExp(rule, 'u').test(value), place, `not ${rule}`),
  minLength: (rule: number, value, place) =>
    say(typeof value !== 'string' || value.length >= rule, place, 'too short'),
  maxLength: (rule: number, value, place) =>
    say(typeof value !== 'string' || value.length <= rule, place, 'too long'),
  minItems: (rule: number, value, place) =>
    say(!Array.isArray(value) || value.length >= rule, place, 'too few'),
  maxItems: (rule: number, value, place) =>
    say(!Array.isArray(value) || value.length <= rule, place, 'too many'),
  minimum: (rule: number, value, place) => say(!(Number(value) < rule), place, `under ${rule}`),
  maximum: (rule: number, value, place) => say(!(Number(value) > rule), place, `over ${rule}`),
  exclusiveMinimum: (rule: number, value, place) =>
    say(!(Number(value) <= rule), place, `not over ${rule}`),
  exclusiveMaximum: (rule: number, value, place) =>
    say(!(Number(value) >= rule), place, `not under ${rule}`),
}
