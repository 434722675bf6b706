import { type Kysely, type Migration, sql } from 'kysely'
import type { TableDefinition } from './columns.ts'
import { createTables, type DialectName } from './create.ts'

/** How many devices of what kind there are, so that nobody counts them. Frozen. */
export const tallyTables = {
  class_tallies: {
    key: ['class', 'online'],
    columns: { class: 'text', online: 'flag', devices: 'int' },
  },
  /** `presence` of a member: 0 offline, 1 online, 2 of another class by now. Kept right while the rollout is open. */
  rollout_tallies: {
    key: ['rollout', 'state', 'forgiven', 'presence'],
    columns: { rollout: 'text', state: 'text', forgiven: 'flag', presence: 'int', devices: 'int' },
  },
} as const satisfies Record<string, TableDefinition>

/** What is looked for often, beside the keys. */
const INDEXES = [
  ['devices', ['class', 'online', 'id']],
  ['rollout_devices', ['state', 'rollout']],
  ['probes', ['state', 'deadline']],
] as const

const OPEN = `('running', 'awaiting-approval', 'paused', 'done')`

/** Adds to a bucket, or begins it; `select` gives its key. */
const adds = (select: string, key: string) =>
  `${select} on conflict (${key}) do update set devices = TABLE.devices + excluded.devices`

const CLASS_KEY = 'class, online'
const ROLLOUT_KEY = 'rollout, state, forgiven, presence'

const addToClass = (row: string) =>
  `insert into class_tallies (${CLASS_KEY}, devices) ${adds(
    `select ${row}.class, ${row}.online, 1 where ${row}.class is not null`,
    CLASS_KEY,
  ).replace('TABLE', 'class_tallies')};`

const takeFromClass = (row: string) =>
  `update class_tallies set devices = devices - 1 where class = ${row}.class and online = ${row}.online;`

const presenceOf = (device: string) =>
  `case when r.class = ${device}.class then ${device}.online else 2 end`

/** The member's bucket in each open rollout of a device, as it was or will be. */
const bucketsOf = (row: string, more = '', presence = presenceOf(row)) =>
  `select m.rollout, m.state, m.forgiven, ${presence}${more}
     from rollout_devices m join rollouts r on r.id = m.rollout
     where m.device = ${row}.id and r.state in ${OPEN}`

const addMembers = (row: string, presence?: string) =>
  `insert into rollout_tallies (${ROLLOUT_KEY}, devices) ${adds(
    bucketsOf(row, ', 1', presence),
    ROLLOUT_KEY,
  ).replace('TABLE', 'rollout_tallies')};`

const takeMembers = (row: string) =>
  `update rollout_tallies set devices = devices - 1 where (${ROLLOUT_KEY}) in (${bucketsOf(row)});`

const presenceOfMember = (row: string) =>
  `coalesce((select ${presenceOf('d')} from devices d join rollouts r on r.id = ${row}.rollout where d.id = ${row}.device), 2)`

const addMember = (row: string) =>
  `insert into rollout_tallies (${ROLLOUT_KEY}, devices) ${adds(
    `select ${row}.rollout, ${row}.state, ${row}.forgiven, ${presenceOfMember(row)}, 1 where true`,
    ROLLOUT_KEY,
  ).replace('TABLE', 'rollout_tallies')};`

const takeMember = (row: string) =>
  `update rollout_tallies set devices = devices - 1
     where rollout = ${row}.rollout and state = ${row}.state and forgiven = ${row}.forgiven
       and presence = ${presenceOfMember(row)};`

interface Trigger {
  readonly name: string
  readonly table: 'devices' | 'rollout_devices'
  /** After what, with the columns of an update. */
  readonly event: string
  /** Only then, as SQLite says it; `<>` of what may be null. */
  readonly differs?: readonly string[]
  readonly body: string
}

/**
 * The database keeps the counts itself, with the rows they count: whatever writes a device or a member, in whichever
 * transaction, leaves them right.
 */
const TRIGGERS: readonly Trigger[] = [
  {
    name: 'device_added',
    table: 'devices',
    event: 'insert',
    body: addToClass('new') + addMembers('new'),
  },
  {
    name: 'device_changed',
    table: 'devices',
    event: 'update of online, class',
    differs: ['online', 'class'],
    body: takeFromClass('old') + takeMembers('old') + addToClass('new') + addMembers('new'),
  },
  {
    name: 'device_removed',
    table: 'devices',
    event: 'delete',
    body: takeFromClass('old') + takeMembers('old') + addMembers('old', '2'),
  },
  { name: 'member_added', table: 'rollout_devices', event: 'insert', body: addMember('new') },
  {
    name: 'member_changed',
    table: 'rollout_devices',
    event: 'update of state, forgiven',
    differs: ['state', 'forgiven'],
    body: takeMember('old') + addMember('new'),
  },
  { name: 'member_removed', table: 'rollout_devices', event: 'delete', body: takeMember('old') },
]

const CREATE: Readonly<Record<DialectName, (trigger: Trigger) => readonly string[]>> = {
  sqlite: ({ name, table, event, differs, body }) => {
    const when = differs?.map((column) => `old.${column} is not new.${column}`).join(' or ')
    return [
      `create trigger if not exists ${name} after ${event} on ${table} for each row
         ${when ? `when ${when}` : ''} begin ${body} end`,
    ]
  },
  postgres: ({ name, table, event, differs, body }) => {
    const when = differs
      ?.map((column) => `old.${column} is distinct from new.${column}`)
      .join(' or ')
    return [
      `create or replace function ${name}() returns trigger language plpgsql as $$
         begin ${body} return null; end $$`,
      `drop trigger if exists ${name} on ${table}`,
      `create trigger ${name} after ${event} on ${table} for each row
         ${when ? `when (${when})` : ''} execute function ${name}()`,
    ]
  },
}

/** Counts what is there already: also where this ran half way before. */
const COUNT = [
  'delete from class_tallies',
  'delete from rollout_tallies',
  `insert into class_tallies (${CLASS_KEY}, devices)
     select class, online, count(*) from devices where class is not null group by class, online`,
  `insert into rollout_tallies (${ROLLOUT_KEY}, devices)
     select m.rollout, m.state, m.forgiven, case when d.class = r.class then d.online else 2 end, count(*)
     from rollout_devices m join rollouts r on r.id = m.rollout left join devices d on d.id = m.device
     where r.state in ${OPEN} group by 1, 2, 3, 4`,
]

export function tallies(dialect: DialectName): Migration {
  const tables = createTables(tallyTables, dialect)
  return {
    async up(db: Kysely<unknown>) {
      await tables.up(db)
      for (const [table, columns] of INDEXES) {
        const index = db.schema.createIndex(`${table}_by_${columns.join('_')}`).ifNotExists()
        await index
          .on(table)
          .columns([...columns])
          .execute()
      }
      for (const statement of [...TRIGGERS.flatMap(CREATE[dialect]), ...COUNT]) {
        await sql.raw(statement).execute(db)
      }
    },
  }
}
