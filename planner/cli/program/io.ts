import { oneLine } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { csvOf } from '../print/csv.ts'
import { layOut } from '../print/layout.ts'
import { type Page, type Table, withTables } from '../print/page.ts'
import { sorted } from '../print/sort.ts'
import { type Progress, startProgress } from './progress.ts'

/** Where a command speaks: people read tables and lines, machines read one JSON value, or CSV. */
export interface CliIo {
  readonly json: boolean
  /**
   * What was asked for, on standard output, in the form that was asked for.
   * @param list what sorting and CSV are about, where people read it in parts; else the page's own list
   */
  result(value: unknown, forPeople: () => Page, list?: () => Table): void
  /** A line for people on standard output; nothing for machines. */
  line(text: string): void
  /** Standard error: warnings and findings, never mixed into results. */
  note(text: string): void
  findings(findings: readonly Finding[]): void
  progress(what: string): Progress
}

export interface CliStreams {
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number }
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean }
}

/** `table`: fits the terminal; `wide`: all there is; `json`: the planner's own value; `csv`: RFC 4180. */
export type Form = 'table' | 'wide' | 'json' | 'csv'

export interface Printing {
  readonly form: Form
  /** A column's name, after `-` if the largest come first. */
  readonly sort?: string | undefined
  /** Columns of the terminal; undefined where there is none. */
  readonly width: number | undefined
  /** Of values that are printed one after the other: a line each. */
  readonly compact?: boolean
}

/** @param say makes the commands that texts for people name work where they are read */
export function createIo(
  { form, sort, width, compact = false }: Printing,
  streams: CliStreams,
  say: (text: string) => string,
): CliIo {
  const json = form === 'json'
  const forMachines = json || form === 'csv'
  const note = (text: string) => streams.stderr.write(`${say(text)}\n`)
  const ordered = (page: Page, value: unknown) =>
    sort === undefined ? { page, value } : sorted(page, value, sort)
  const print: Readonly<Record<Form, (page: Page, value: unknown) => void>> = {
    json: (_, value) => {
      streams.stdout.write(`${JSON.stringify(value, jsonSafe, compact ? undefined : 2)}\n`)
    },
    csv: (page, value) => {
      streams.stdout.write(csvOf(value, page))
    },
    wide: (page) => {
      streams.stdout.write(`${layOut(spoken(page, say), undefined).text}\n`)
    },
    table: (page) => {
      const laid = layOut(spoken(page, say), width)
      streams.stdout.write(`${laid.text}\n`)
      if (laid.note !== '') note(laid.note)
    },
  }
  return {
    json,
    result: (value, forPeople, list) => {
      if (json && sort === undefined) return print.json('', value)
      const page =
        list !== undefined && (form === 'csv' || sort !== undefined) ? list() : forPeople()
      const told = ordered(page, value)
      print[form](told.page, told.value)
    },
    line: (text) => {
      if (!forMachines) streams.stdout.write(`${say(text)}\n`)
    },
    note,
    findings: (findings) => {
      if (json) return
      for (const finding of findings) note(`${finding.severity}: ${oneLine(finding.message)}`)
    },
    progress: (title) => {
      const { update, end } = startProgress(say(title), json ? undefined : streams.stderr)
      return { end, update: (done, total, what = title) => update(done, total, say(what)) }
    },
  }
}

function spoken(page: Page, say: (text: string) => string): Page {
  if (typeof page === 'string') return say(page)
  if (!('kind' in page)) return page.map((part) => spoken(part, say))
  return withTables(page, (table) => ({
    ...table,
    rows: table.rows.map((row) => row.map((one) => (typeof one === 'string' ? say(one) : one))),
  }))
}

function jsonSafe(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
