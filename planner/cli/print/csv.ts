import { type Cell, NONE } from './figure.ts'
import { mainList, type Page, type Table } from './page.ts'

const END = '\r\n'

/**
 * CSV by RFC 4180: the page's list, its figures as plain numbers; without a list the fields of the value itself.
 * @returns the empty string where there is nothing: a list without entries
 */
export function csvOf(value: unknown, page: Page): string {
  const list = mainList(page)
  return list === undefined ? recordsOf(value) : listOf(list)
}

function listOf({ head, rows }: Table): string {
  return csv([head, ...rows.map((row) => row.map(plain))])
}

function plain(one: Cell): string {
  if (typeof one !== 'string') return String(one.value)
  return one === NONE ? '' : one
}

function recordsOf(value: unknown): string {
  const records = (Array.isArray(value) ? value : [value]).map((one) =>
    isRecord(one) ? flat(one) : new Map([['value', text(one)]]),
  )
  if (records.length === 0) return ''
  const names = [...new Set(records.flatMap((record) => [...record.keys()]))]
  return csv([names, ...records.map((record) => names.map((name) => record.get(name) ?? ''))])
}

/** `{ a: { b: 1 } }` → `a.b`; lists of texts as words, other lists as JSON. */
function flat(record: Readonly<Record<string, unknown>>, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(record).flatMap(([name, value]): [string, string][] =>
      isRecord(value) ? [...flat(value, `${prefix}${name}.`)] : [[`${prefix}${name}`, text(value)]],
    ),
  )
}

function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  const isWords = Array.isArray(value) && value.every((one) => typeof one === 'string')
  return isWords ? value.join(' ') : JSON.stringify(value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}${END}`).join('')
}

/** What a spreadsheet would take for a formula; a number is none, whatever its sign. */
const FORMULA = /^[=+\-@\t\r]/
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i

/** Names and labels are whatever devices and people chose: an apostrophe makes them text (OWASP, CSV injection). */
function field(value: string): string {
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
