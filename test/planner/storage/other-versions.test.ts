import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RawBuilder, sql } from 'kysely'
import t, { type Test } from 'tap'
import { loadProfiles } from '../../../planner/classes/index.ts'
import { factsOfClass } from '../../../planner/conductor/index.ts'
import {
  audit,
  type Db,
  devices,
  directions,
  models,
  openDatabase,
  orders,
  pipelines,
  probes,
  reports,
  rollouts,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import { oldDatabase } from '../../version-0.1.ts'

const WHEN = new Date('2026-11-29T08:00:00Z')
const CLASSES = ['raspberry-pi-4', 'rk3588']

async function opened(t: Test): Promise<Db> {
  const data = t.testdir({})
  writeFileSync(join(data, 'fitment.db'), oldDatabase())
  const { db, close } = await openDatabase({ data })
  t.teardown(close)
  return db
}

/** All that a planner reads of its database, row by row of what is there. */
async function readAll(db: Db) {
  const [model] = await models.listModels(db)
  if (!model) throw new Error('no model')
  const pipelineRows = await pipelines.pipelinesOf(db, model.id)
  const keys = await db.selectFrom('variants').select('key').execute()
  const orderIds = await db.selectFrom('orders').select('id').execute()
  return {
    model,
    driven: await models.drivenModels(db),
    devices: await devices.listDevices(db),
    pipelines: pipelineRows,
    variants: await each(keys, ({ key }) => variants.findVariant(db, key)),
    evaluations: await each(keys, ({ key }) =>
      variants.findEvaluation(db, key, model.reference.whole),
    ),
    candidates: (
      await each(pipelineRows, (row) => variants.candidatesOf(db, model.id, row.class))
    ).flat(),
    probes: await probes.probesOf(db, model.id),
    selections: await each(pipelineRows, (row) =>
      selections.currentSelection(db, model.id, row.class),
    ),
    rollouts: await rollouts.rolloutsOf(db, model.name),
    members: (
      await each(await rollouts.rolloutsOf(db, model.name), ({ id }) => rollouts.membersOf(db, id))
    ).flat(),
    orders: await each(orderIds, ({ id }) => orders.findOrder(db, id)),
    audit: await audit.readAudit(db, { limit: 100 }),
    directions: (
      await each(await devices.knownDevices(db), (id) => directions.directionsOf(db, id))
    ).flat(),
  }
}

async function each<T, R>(values: readonly T[], read: (value: T) => Promise<R | undefined>) {
  const found = await Promise.all(values.map(read))
  return found.filter((one) => one !== undefined)
}

t.test('a database of version 0.1 is read to its last row', async (t) => {
  const db = await opened(t)
  const all = await readAll(db)
  const counts = Object.fromEntries(
    Object.entries(all).map(([name, rows]) => [name, Array.isArray(rows) ? rows.length : 1]),
  )
  t.strictSame(counts, {
    model: 1,
    driven: 1,
    devices: 2,
    pipelines: 2,
    variants: 8,
    evaluations: 8,
    candidates: 32,
    probes: 14,
    selections: 2,
    rollouts: 2,
    members: 2,
    orders: 17,
    audit: 18,
    directions: 2,
  })
  t.match(all.devices, [
    { id: 'press-1', class: 'rk3588', report: { architecture: 'arm64' } },
    { id: 'pump-1', class: 'raspberry-pi-4', slots: [{ model: 'motor-faults', active: true }] },
  ])
  t.ok(
    all.orders.every(({ order }) => order !== null),
    'every order is understood',
  )
  t.ok(all.variants.every(({ state, digest }) => state === 'built' && digest !== null))
  t.ok(all.probes.every(({ record }) => (record?.latency.p50Ms ?? 0) > 0))
  t.ok(all.selections.every(({ measured, selection }) => measured.length > 0 && selection.winner))
  t.ok(all.members.every(({ state }) => state === 'active'))
  await sql`update reports set handled_at = null`.execute(db)
  const again = await reports.unhandledReports(db, 100)
  t.equal(again.length, 47)
  t.ok(again.every(({ report }) => report.kind !== 'later'))
})

t.test('fields that later planners add to a row are ignored', async (t) => {
  const db = await opened(t)
  const before = await readAll(db)
  for (const [table, column] of JSON_COLUMNS) {
    await change(db, table, column, sql`json_set(${sql.ref(column)}, '$.later', json('{"a":[1]}'))`)
  }
  t.strictSame(await readAll(db), before)
})

t.test('a row from before the source could become .onnx has the default', async (t) => {
  const db = await opened(t)
  await change(db, 'models', 'facts', sql`json_remove(facts, '$.onnx')`)
  t.match((await readAll(db)).model.facts, { onnx: { obstacle: /add it again/ } })
})

t.test('what a later agent said of a device stays, and the rest of it serves', async (t) => {
  const db = await opened(t)
  await change(db, 'devices', 'runtimes', sql`json_set(runtimes, '$[0].name', 'tensorrt')`)
  await change(
    db,
    'devices',
    'report',
    sql`json_set(report, '$.architecture', 'loong64', '$.cpu.features[0]', 'lasx',
      '$.board.source', 'acpi', '$.accelerators', json('[{"kind":"photonic","evidence":"/dev/p0"}]'))`,
  )
  const all = await devices.listDevices(db)
  for (const device of all) {
    t.match(device, {
      runtimes: [{ name: 'tensorrt' }, { name: 'onnxruntime' }],
      report: { architecture: 'loong64', accelerators: [{ kind: 'photonic' }] },
    })
  }
  const profiles = await loadProfiles()
  const facts = factsOfClass(
    'rk3588',
    all,
    profiles.find(({ id }) => id === 'rk3588'),
  )
  t.strictSame(facts.targets, ['onnxruntime'])
  t.equal(factsOfClass('unknown-other', all, undefined).architecture, 'other')
})

t.test('states of later planners are ones in which nothing is done', async (t) => {
  const db = await opened(t)
  for (const [table, column] of [
    ['pipelines', 'stage'],
    ['variants', 'state'],
    ['probes', 'state'],
    ['rollouts', 'state'],
    ['rollout_devices', 'state'],
  ] as const) {
    await change(db, table, column, sql`'compiling'`)
  }
  const all = await readAll(db)
  t.ok(all.pipelines.every(({ stage }) => stage === 'compiling'))
  t.ok(all.variants.every(({ state }) => state === 'planned'))
  t.ok(all.probes.every(({ state }) => state === 'lost'))
  t.ok(all.rollouts.every(({ state }) => state === 'superseded'))
  t.ok(all.members.every(({ state }) => state === 'released'))
  t.strictSame(await rollouts.openRollouts(db), [])
  t.equal(all.model.intent, 'rollout')
  await change(db, 'models', 'objective', sql`'energy'`)
  t.equal((await readAll(db)).model.intent, 'held', 'nobody chooses by a measure he does not know')
  await change(db, 'models', 'objective', sql`'latency'`)
  await change(db, 'models', 'intent', sql`'retire'`)
  t.equal((await readAll(db)).model.intent, 'held')
})

t.test('targets that only later planners know are left out, the others stand', async (t) => {
  for (const [column, value] of [
    ['runtime', 'tensorrt'],
    ['scheme', 'static-w2a2'],
  ] as const) {
    const db = await opened(t)
    const before = await readAll(db)
    const [lost] = before.variants
    await sql`update variants set ${sql.ref(column)} = ${value} where key = ${lost?.key}`.execute(
      db,
    )
    await sql`update candidates set ${sql.ref(column)} = ${value} where variant = ${lost?.key}`.execute(
      db,
    )
    await change(
      db,
      'selections',
      'measured',
      sql`json_set(measured, ${`$[0].${column}`}, ${value})`,
    )
    const after = await readAll(db)
    t.strictSame(
      after.variants,
      before.variants.filter(({ key }) => key !== lost?.key),
    )
    t.strictSame(
      after.candidates,
      before.candidates.filter(({ variant }) => variant !== lost?.key),
    )
    t.strictSame(
      after.selections.map(({ measured }) => measured),
      before.selections.map(({ measured }) => measured.slice(1)),
    )
  }
  const db = await opened(t)
  await sql`update tunings set tuning = '{"spare":"sparse"}'`.execute(db)
  t.equal((await readAll(db)).variants.length, 7, 'nobody could build it again')
})

t.test('reports and orders of later kinds are passed over', async (t) => {
  const db = await opened(t)
  await sql`update reports set handled_at = null, body = json_set(body, '$.kind', 'telemetry')`.execute(
    db,
  )
  const [first] = await reports.unhandledReports(db, 1)
  t.match(first?.report, { kind: 'later', said: 'telemetry' })
  await sql`update orders set state = 'open', body = json_set(body, '$.kind', 'dance')`.execute(db)
  t.strictSame(await orders.pendingOrders(db, 'pump-1', WHEN), [])
  const { id } = await db.selectFrom('orders').select('id').executeTakeFirstOrThrow()
  t.match(await orders.findOrder(db, id), { order: null, state: 'open' })
})

t.test('what is broken is told, not passed over', async (t) => {
  const db = await opened(t)
  await change(db, 'devices', 'report', sql`json_set(report, '$.cpu.cores', 'many')`)
  await t.rejects(devices.listDevices(db), /cores/)
  await change(db, 'probes', 'state', sql`'no word at all'`)
  await t.rejects(readAll(db))
})

t.test('the classes that devices were told stand', async (t) => {
  t.same(await devices.classesInUse(await opened(t)), CLASSES)
})

const JSON_COLUMNS = [
  ['devices', 'epoch'],
  ['devices', 'report'],
  ['models', 'constraints'],
  ['models', 'facts'],
  ['models', 'reference'],
  ['models', 'rollout_options'],
  ['evaluations', 'whole'],
  ['evaluations', 'slice'],
  ['probes', 'record'],
  ['selections', 'selection'],
  ['rollouts', 'options'],
  ['orders', 'body'],
] as const

async function change(
  db: Db,
  table: string,
  column: string,
  value: RawBuilder<unknown>,
): Promise<void> {
  await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${value}`.execute(db)
}
