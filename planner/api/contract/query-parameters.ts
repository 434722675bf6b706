import { parseSelector, printSelector, type Selector } from '../../groups/index.ts'

/** How a field of an input stands in a query. */
interface QueryParameter {
  /** For OpenAPI, where it differs from the field itself. */
  readonly schema?: Readonly<Record<string, unknown>>
  /** Text that is no such value is handed on as it is: the operation's schema says what is wrong. @throws UsageError */
  read(text: string): unknown
  print(value: unknown): string
}

const asText: QueryParameter = { read: (text) => text, print: String }

const asNumber: QueryParameter = {
  read: (text) => (/^-?\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : text),
  print: String,
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false }

const asFlag: QueryParameter = { read: (text) => FLAGS[text] ?? text, print: String }

const asSelector: QueryParameter = {
  schema: { type: 'string', maxLength: 2000, description: "Which devices: 'site=hall-2,class!=x'" },
  read: (text) => parseSelector(text),
  print: (value) => printSelector(value as Selector),
}

/** Fields that are no text, by name. */
const PARAMETERS: Readonly<Record<string, QueryParameter>> = {
  limit: asNumber,
  days: asNumber,
  wave: asNumber,
  /** A number, or a tag: no digit first. */
  revision: asNumber,
  all: asFlag,
  force: asFlag,
  newest: asFlag,
  where: asSelector,
}

export function queryParameter(name: string): QueryParameter {
  return Object.hasOwn(PARAMETERS, name) ? (PARAMETERS[name] ?? asText) : asText
}
