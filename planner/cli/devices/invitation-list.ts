import { UsageError } from '../../../shared/errors.ts'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { type Labels, MOST_LABELS, parseLabel, requireKey } from '../../../shared/labels.ts'

export interface Invited {
  readonly device: string
  readonly labels: Labels
}

/** Faults told of one file before the rest is counted. */
const MOST_FAULTS = 8

/**
 * Devices to invite, of CSV (RFC 4180): a head that names `device`, and labels by their keys. An empty cell is no label.
 * @throws UsageError with every fault and its line
 */
export function readInvitationList(text: string, file: string): readonly Invited[] {
  const [head, ...lines] = rowsOf(text)
  if (head === undefined) throw new UsageError(`${file} is empty: begin with a line "device,site"`)
  const keys = keysOf(head.cells, file)
  const faults: string[] = []
  const seen = new Map<string, number>()
  const invited: Invited[] = []
  for (const { line, cells, isOpen } of lines) {
    const fault = isOpen ? 'a quotation mark is never closed' : faultOf(cells, keys, seen, line)
    if (fault !== undefined) faults.push(`line ${line}: ${fault}`)
    else invited.push(invitedOf(cells, keys))
  }
  if (faults.length > 0) {
    const more = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : ''
    throw new UsageError(
      `${file}: ${faults.slice(0, MOST_FAULTS).join('; ')}${more}. Nobody was invited`,
    )
  }
  if (invited.length === 0) throw new UsageError(`${file} has a head and no devices below it`)
  return invited
}

function keysOf(head: readonly string[], file: string): readonly string[] {
  if (!head.includes('device')) {
    throw new UsageError(
      `${file}, line 1: no column is called "device"; there are: ${head.join(', ')}`,
    )
  }
  if (head.length > MOST_LABELS + 1)
    throw new UsageError(`${file}, line 1: at most ${MOST_LABELS} labels`)
  for (const [at, key] of head.entries()) {
    if (head.indexOf(key) !== at) throw new UsageError(`${file}, line 1: "${key}" is there twice`)
    if (key !== 'device') atLine(file, 1, () => requireKey(key, key))
  }
  return head
}

function atLine(file: string, line: number, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof UsageError
      ? new UsageError(`${file}, line ${line}: ${error.message}`)
      : error
  }
}

function faultOf(
  cells: readonly string[],
  keys: readonly string[],
  seen: Map<string, number>,
  line: number,
): string | undefined {
  if (cells.length !== keys.length) return `${cells.length} columns, the head has ${keys.length}`
  const device = cells[keys.indexOf('device')] ?? ''
  if (!deviceIdSchema.safeParse(device).success) return `"${device}" is no name of a device`
  const before = seen.get(device)
  seen.set(device, line)
  if (before !== undefined) return `${device} is in line ${before} already`
  for (const [at, key] of keys.entries()) {
    const value = cells[at] ?? ''
    if (key === 'device' || value === '') continue
    try {
      parseLabel(`${key}=${value}`)
    } catch (error) {
      return error instanceof Error ? error.message : `"${value}" is no value`
    }
  }
  return undefined
}

function invitedOf(cells: readonly string[], keys: readonly string[]): Invited {
  const named = keys.map((key, at) => [key, cells[at] ?? ''] as const)
  const labels = named.filter(([key, value]) => key !== 'device' && value !== '')
  return { device: cells[keys.indexOf('device')] ?? '', labels: Object.fromEntries(labels) }
}

interface Row {
  /** On which it begins, from 1. */
  readonly line: number
  readonly cells: readonly string[]
  /** A quotation mark in it is never closed. */
  readonly isOpen: boolean
}

/** One cell, and what ends it: quoted it may hold commas, doubled quotation marks and line ends. */
const CELL = /[^\S\n]*(?:"((?:[^"]|"")*)"[^\S\n]*|([^,\n]*))(,|\n|$)/y

/** Rows that hold anything. */
function rowsOf(text: string): Row[] {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const rows: Row[] = []
  let cells: string[] = []
  let line = 1
  let begun = 1
  for (CELL.lastIndex = 0; CELL.lastIndex < source.length; ) {
    const [whole, quoted, bare = '', end] = CELL.exec(source) ?? ['', undefined, '', '']
    cells.push(quoted?.replaceAll('""', '"') ?? bare.trim())
    line += whole.split('\n').length - 1
    if (end === ',') continue
    if (cells.length > 1 || cells[0] !== '') rows.push(rowOf(begun, cells))
    cells = []
    begun = line
  }
  return rows
}

function rowOf(line: number, cells: readonly string[]): Row {
  return { line, cells, isOpen: cells.some((cell) => cell.startsWith('"')) }
}
