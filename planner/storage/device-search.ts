import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { DeviceId } from '../../shared/ids.ts'
import { matches, type Selector, type Term, valuesOf } from '../groups/index.ts'
import { isRaised } from './alarms.ts'
import { type Device, deviceOf } from './devices.ts'
import type { Db, Tables } from './tables.ts'

/** Which devices a list shows; what is absent is not asked. */
export interface DeviceFilter {
  readonly selector: Selector
  /** Part of its name. */
  readonly search?: string | undefined
  /** Of a board, or of one class of it. */
  readonly class?: string | undefined
  readonly isOnline?: boolean | undefined
  /** Whether an alarm is raised on it. */
  readonly isAlarmed?: boolean | undefined
  /** Runs it: one of these files, or any where none are named. */
  readonly runs?:
    | { readonly model: string; readonly variants?: readonly string[] | undefined }
    | undefined
  readonly withRetired: boolean
}

export interface DevicePage {
  readonly devices: readonly Device[]
  /** More follow behind the last. */
  readonly hasMore: boolean
  /** Of all pages; null where terms are asked that only the device's own report answers. */
  readonly total: number | null
}

type Builder = ExpressionBuilder<Tables, 'devices'>

/** Rows read at a time where terms are left that the database cannot answer. */
const PIECE = 500

/** By id, from behind `after` on. Labels, states, classes and files are looked up by indexes. */
export async function findDevicePage(
  db: Db,
  filter: DeviceFilter,
  after: DeviceId,
  most: number,
  subjectOf: (device: Device) => Parameters<typeof matches>[1],
): Promise<DevicePage> {
  const terms = [...filter.selector, ...classTerm(filter.class)]
  const classes = terms.some(({ key }) => key === 'class') ? await knownClasses(db) : []
  const where = (q: Builder) => q.and(conditions(q, filter, terms, classes))
  const rest = terms.filter(({ key }) => READ_FROM_REPORT.has(key))
  const found: Device[] = []
  let from = after
  const piece = rest.length > 0 ? PIECE : most + 1
  for (;;) {
    const rows = await db
      .selectFrom('devices')
      .selectAll()
      .where('id', '>', from)
      .where(where)
      .orderBy('id')
      .limit(piece)
      .execute()
    const devices = rows.map(deviceOf)
    // Labels were asked of the database: what is left asks for facts of the device alone.
    found.push(...devices.filter((device) => matches(rest, subjectOf(device))))
    from = devices.at(-1)?.id ?? from
    if (found.length > most || rows.length < piece) break
  }
  const total = rest.length > 0 ? null : await countDevices(db, where)
  return { devices: found.slice(0, most), hasMore: found.length > most, total }
}

async function countDevices(db: Db, where: (q: Builder) => Expression<SqlBool>): Promise<number> {
  const row = await db
    .selectFrom('devices')
    .select((q) => q.fn.countAll<number>().as('devices'))
    .where(where)
    .executeTakeFirst()
  return Number(row?.devices ?? 0)
}

function classTerm(name: string | undefined): Term[] {
  return name === undefined ? [] : [{ op: 'in', key: 'class', values: [name] }]
}

async function knownClasses(db: Db): Promise<readonly string[]> {
  const rows = await db.selectFrom('class_tallies').select('class').distinct().execute()
  return rows.map((row) => row.class)
}

function conditions(
  q: Builder,
  filter: DeviceFilter,
  terms: readonly Term[],
  classes: readonly string[],
): Expression<SqlBool>[] {
  const all: Expression<SqlBool>[] = terms
    .filter(({ key }) => !READ_FROM_REPORT.has(key))
    .map((term) => holds(q, term, classes))
  const { search, isOnline, isAlarmed, runs, withRetired } = filter
  if (search !== undefined) all.push(contains(q, search))
  if (isOnline !== undefined) all.push(q('online', '=', isOnline ? 1 : 0))
  if (isAlarmed !== undefined) all.push(q('id', isAlarmed ? 'in' : 'not in', alarmed(q)))
  if (runs !== undefined) all.push(q('id', 'in', running(q, runs)))
  if (!withRetired) {
    all.push(q('id', 'not in', q.selectFrom('retired_devices').select('retired_devices.device')))
  }
  return all
}

/** Names have neither per cent nor backslash in them; what is searched for may. */
function contains(q: Builder, search: string): Expression<SqlBool> {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, (found) => `\\${found}`)}%`
  return sql<SqlBool>`lower(${q.ref('id')}) like ${pattern} escape '\\'`
}

function alarmed(q: Builder) {
  return q.selectFrom('alarms').select('alarms.device').where(isRaised())
}

function running(q: Builder, { model, variants }: NonNullable<DeviceFilter['runs']>) {
  const active = q
    .selectFrom('device_slots')
    .select('device_slots.device')
    .where('model_name', '=', model)
    .where('active', '=', 1)
  if (variants === undefined) return active
  // A revision that nothing was built of yet runs nowhere.
  return active.where('variant', 'in', variants.length > 0 ? [...variants] : [''])
}

/** Facts that lie in JSON, and are asked of each device that is left. */
const READ_FROM_REPORT: ReadonlySet<string> = new Set(['runtime', 'board'])

/** How the database answers a term, by its key; a label where it is no fact. */
function holds(q: Builder, term: Term, classes: readonly string[]): Expression<SqlBool> {
  const fact = Object.hasOwn(COLUMNS, term.key) ? COLUMNS[term.key] : undefined
  const has = (fact ?? labelled)(q, term, classes)
  return term.op === 'in' || term.op === 'exists' ? has : q.not(has)
}

type Fact = (q: Builder, term: Term, classes: readonly string[]) => Expression<SqlBool>

const valuesIn = (term: Term) => ('values' in term ? term.values : undefined)

/** Null and what stands in no row compare as false, never as unknown: `not` is asked of them. */
const COLUMNS: Readonly<Record<string, Fact>> = {
  device: (q, term) => amongst(q, 'id', valuesIn(term)),
  agent: (q, term) => amongst(q, 'agent_version', valuesIn(term)),
  state(q, term) {
    const values = valuesIn(term)
    if (values === undefined) return q.lit(true)
    const flags = values.flatMap((value) => ({ online: 1, offline: 0 })[value] ?? [])
    return flags.length > 0 ? q('online', 'in', flags) : q.lit(false)
  },
  class(q, term, classes) {
    const values = valuesIn(term)
    const isAsked = (id: string) =>
      values === undefined ||
      valuesOf({ ...NOBODY, class: id }, 'class').some((value) => values.includes(value))
    const meant = classes.filter(isAsked)
    if (meant.length === 0) return q.lit(false)
    return q.and([q('class', 'is not', null), q('class', 'in', meant)])
  },
}

const NOBODY = { device: '', online: false, agentVersion: '', runtimes: [], board: '', labels: {} }

function amongst(
  q: Builder,
  column: 'id' | 'agent_version',
  values: readonly string[] | undefined,
): Expression<SqlBool> {
  return values === undefined ? q.lit(true) : q(column, 'in', [...values])
}

/** The operator's word counts before the device's own. */
function labelled(q: Builder, term: Term): Expression<SqlBool> {
  const values = valuesIn(term)
  const said = q.selectFrom('device_labels').select('device').where('key', '=', term.key)
  if (values === undefined) return q('id', 'in', said)
  const among = said.where('value', 'in', [...values])
  const isOperators = q
    .selectFrom('device_labels')
    .select('device')
    .where('key', '=', term.key)
    .where('origin', '=', 'operator')
  return q.or([
    q('id', 'in', among.where('origin', '=', 'operator')),
    q.and([q('id', 'in', among.where('origin', '=', 'device')), q.not(q('id', 'in', isOperators))]),
  ])
}
