/**
 * `node story-process.js <plan|abort> <folder> <run>`: a planner and a device that play one story as far as
 * they come. Every run does what is still to be done, as planner and devices that were started again would.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addModel } from '../../../planner/api/add-model.ts'
import type { Call } from '../../../planner/api/call.ts'
import { startRollouts } from '../../../planner/api/rollouts.ts'
import { applyRolloutEvent, failPointNames } from '../../../planner/conductor/index.ts'
import { models, openDatabase, rollouts, variants } from '../../../planner/storage/index.ts'
import { failPointsFrom } from '../../../shared/fail-points.ts'
import { newId } from '../../../shared/ids.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { Order } from '../../../shared/messages/orders.ts'
import { type Report, reportSchema } from '../../../shared/messages/reports.ts'
import { birth, newModel } from '../storage/sample.ts'
import { fewSamples, SMALL_MODEL } from '../variants/small-model.ts'
import { chosenModel, options } from './chosen-model.ts'
import { openPlanner, type Planner, record, settle } from './scripted-fleet.ts'

const DEVICE = 'd1'
const CLASS = 'raspberry-pi-4'

const [, , story, folder = '', run = '1'] = process.argv
const diary = join(folder, 'diary.ndjson')
const receipts = join(folder, 'receipts')
const failPoints = failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames())
const planner = await openPlanner(
  folder,
  {},
  { now: new Date() },
  () => openDatabase({ data: folder }),
  failPoints,
)
const { engine, store } = planner.conductor
await (story === 'plan' ? plan() : abort())
await planner.close()

async function plan(): Promise<void> {
  await joinFleet()
  const known = await models.findModel(engine.db, 'motor')
  if (!known) await register(planner)
  if (known?.intent !== 'rollout') {
    const { waves, gate, approval, revert } = options
    await startRollouts({ model: 'motor', waves, gate, approval, revert, wait: false }, callOf())
  }
  await until(async () => (await newest())?.state === 'done')
}

/** A device that runs `large` is given `small`, and gets `large` back when the operator aborts. */
async function abort(): Promise<void> {
  if (!(await models.findModel(engine.db, 'motor'))) {
    await chosenModel(engine, CLASS, { waves: [{ share: 1 }], revert: true })
  }
  const large = await variants.findVariant(engine.db, 'large-a')
  await joinFleet([{ model: newModel.name, variant: large?.digest ?? '', active: true }])
  await until(async () => {
    const rollout = await newest()
    return rollout?.state === 'done' || rollout?.state === 'aborted'
  })
  const rollout = await newest()
  if (rollout?.state === 'done') await applyRolloutEvent(engine, rollout, 'abort', '', 'operator')
  await until(async () => {
    const [member] = await rollouts.membersOf(engine.db, rollout?.id ?? '')
    return member?.state === 'reverted'
  })
}

async function newest() {
  return (await rollouts.rolloutsOf(engine.db, 'motor'))[0]
}

/** Says what runs here, and, as an outbox would, everything that was ever said. */
async function joinFleet(first: Birth['slots'] = []): Promise<void> {
  const said = existsSync(diary)
    ? readFileSync(diary, 'utf8')
        .trim()
        .split('\n')
        .map((line) => reportSchema.parse(JSON.parse(line)))
    : []
  const last = said.findLast((report) => report.kind === 'install' && report.state === 'active')
  const slots =
    last?.kind === 'install' ? [{ model: last.model, variant: last.variant, active: true }] : first
  await store.recordBirth(DEVICE, birth(Number(run), { id: newId(), slots }))
  for (const report of said) await hand(report)
}

async function until(isOver: () => Promise<boolean>): Promise<void> {
  const told = new Set<string>()
  for (;;) {
    await settle(planner)
    if (await isOver()) return
    for (const order of await store.pendingOrders(DEVICE)) {
      if (told.has(order.id)) continue
      told.add(order.id)
      await answer(order)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function answer(order: Order): Promise<void> {
  const said = await answersTo(order)
  // All of it written down before any of it is said, as the agent's journal has the order itself.
  appendFileSync(diary, said.map((report) => `${JSON.stringify(report)}\n`).join(''))
  for (const report of said) await hand(report)
}

async function answersTo(order: Order): Promise<Report[]> {
  const head = (what: string) =>
    ({ v: 1, id: `${order.id}-${what}`, at: new Date().toISOString() }) as const
  const ack = { ...head('ack'), kind: 'ack', order: order.id } as const
  if (order.kind === 'probe') {
    const { id, model, variant } = order
    const result = { outcome: 'measured', record: record(5, null) } as const
    return [ack, { ...head('result'), kind: 'probe', order: id, model, variant, result }]
  }
  if (order.kind !== 'assign') return [ack]
  const { model, variant } = await planner.assignmentOf(order)
  const about = { kind: 'install', order: order.id, model, variant } as const
  return [
    ack,
    { ...head('accepted'), ...about, state: 'accepted' },
    { ...head('active'), ...about, state: 'active' },
  ]
}

async function hand(report: Report): Promise<void> {
  await store.recordReport(DEVICE, report)
  appendFileSync(receipts, `${report.id}\n`)
}

async function register(p: Planner): Promise<void> {
  const put = async (bytes: Uint8Array, name: string) => ({
    digest: (await p.conductor.engine.artifacts.put(bytes)).digest,
    name,
  })
  const limits = { maxAccuracyDrop: 1, maxLatencyMs: null, maxMemoryBytes: null }
  await addModel(
    {
      name: 'motor',
      source: await put(await readFile(SMALL_MODEL), 'model.tflite'),
      calibration: null,
      test: await put(await fewSamples('test', 8), 'test.npz'),
      objective: 'size',
      // So few that one variant is left to build.
      constraints: { ...limits, maxBytes: 70_000 },
    },
    callOf(),
  )
}

function callOf(): Call {
  return {
    conductor: planner.conductor,
    engine,
    info: { version: '', fleet: '', broker: '', database: '', trust: '' },
    actor: 'cli:test',
    progress: () => {},
    signal: new AbortController().signal,
  }
}
