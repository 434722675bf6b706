import type { Test } from 'tap'
import { consolePages, linkWith } from '../../../planner/console/index.ts'
import {
  alarms,
  type Db,
  devices,
  health,
  memberships,
  rollouts,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import { normalFrom } from '../../../shared/statistics/index.ts'
import { httpPlanner } from '../../planner/api/http-planner.ts'
import { chosenModel, options } from '../../planner/conductor/chosen-model.ts'
import { referenceOf, seenOf } from '../../planner/health/observations.ts'
import { birth, hardware } from '../../planner/storage/sample.ts'

export const DEVICES = 10_000
const CLASS = 'raspberry-pi-4'
const SITES = 40
const EACH = 500
const DAY_MS = 86_400_000

/** Names are what devices call themselves; these are as bad as the wire lets through. */
const nameOf = (at: number) => `press-${String(at).padStart(5, '0')}`

/** What a board may call itself: it is text of a device, and nothing else. */
export const MARKUP = '<img src=x onerror="document.title=1"><b>Pi 4</b>'

/**
 * A real planner whose database holds a fleet of ten thousand, a rollout that a gate paused, alarms, and how the
 * model did: all of it written through the planner's own storage.
 */
export async function largeFleet(t: Test) {
  const http = await httpPlanner(t, { pages: consolePages() })
  const { conductor, clock } = http.planner
  clock.now = new Date()
  const { db, now } = conductor.context
  const model = await chosenModel(conductor.context, CLASS)
  const variant = (await variants.findVariant(db, 'small-a'))?.digest ?? ''
  for (let from = 0; from < DEVICES; from += EACH) {
    await db.transaction().execute(async (trx) => {
      for (let at = from; at < from + EACH; at += 1) await join(trx, at, variant, now())
    })
  }
  await pausedRollout(db, model.id, now())
  await observed(http, model.name)
  const link = async (path: string, role: 'admin' | 'viewer' = 'admin') =>
    linkWith(await http.token(`ann-${role}`, role), path)
  return { ...http, link }
}

const FOUND = { class: CLASS, reason: ['its board says so'], storageRoom: 2e10, memoryRoom: 2e9 }

async function join(db: Db, at: number, variant: string, now: Date): Promise<void> {
  const report = at === 1 ? named(MARKUP) : hardware
  const labels = { site: `hall-${at % SITES}`, line: String(at % 7) }
  const slots = runsIt(at) ? [{ model: 'motor', variant, active: true }] : []
  const said = birth(1, { id: `birth-${at}`, report, labels, slots })
  await devices.recordBirth(db, nameOf(at), said, now, FOUND)
  if (at % 50 === 3) await devices.recordDeath(db, nameOf(at), said.epoch, now)
}

function named(model: string): typeof hardware {
  return { ...hardware, board: { ...hardware.board, model } }
}

const CAUSES = ['disk-full: no room for 100000 bytes', 'self-test: 3 of 8 answers differ']

const hasFailed = (at: number) => at % 10 === 9
const runsIt = (at: number) => at < DEVICES / 2 && !hasFailed(at)

const GATE = { successShare: 0.95, failureThreshold: 0.2, minimumSample: 3 }

/** Half of the fleet was reached, and every tenth failed, for one of two reasons. */
async function pausedRollout(db: Db, model: string, at: Date): Promise<void> {
  const selection = await selections.currentSelection(db, model, CLASS)
  const rollout = await rollouts.addRollout(
    db,
    {
      ...{ model, modelName: 'motor', class: CLASS, selection: selection?.seq ?? 0 },
      state: 'paused',
      options: { ...options, waves: [{ count: 1 }, { share: 0.5 }, { share: 1 }], gate: GATE },
      reason: '4500 of 5000 devices succeeded, 95 % wanted before the next wave',
    },
    at,
  )
  await rollouts.moveRollout(
    db,
    rollout.id,
    { state: 'paused', wave: 1, reason: rollout.reason },
    at,
  )
  for (let from = 0; from < DEVICES / 2; from += EACH) {
    const rows = Array.from({ length: EACH }, (_, index) => member(rollout.id, from + index))
    await memberships.putMembers(db, rows, at)
  }
}

function member(rollout: string, at: number): memberships.NewMember {
  const error = hasFailed(at) ? CAUSES[at % 3 === 0 ? 1 : 0] : undefined
  return {
    ...{ rollout, device: nameOf(at), wave: at === 0 ? 0 : 1, variant: 'small-a' },
    state: error === undefined ? 'active' : 'failed',
    ...{ orderId: `order-${at}`, attempt: 1, previous: null },
    ...(error !== undefined && { error }),
  }
}

/** A week of a model that drifts, on a few devices, and an alarm on one. */
async function observed(
  { planner }: Awaited<ReturnType<typeof httpPlanner>>,
  model: string,
): Promise<void> {
  const { db, now, artifacts } = planner.conductor.context
  const variant = (await variants.findVariant(db, 'small-a'))?.digest ?? ''
  const reference = referenceOf()
  const { digest } = await artifacts.put(Buffer.from(JSON.stringify(reference)))
  await health.putSketch(db, { variant: 'small-a', reference: digest, sketch: digest })
  const at = now()
  for (let device = 0; device < 20; device += 1) {
    for (let ago = 6; ago >= 0; ago -= 1) {
      const day = new Date(at.getTime() - ago * DAY_MS).toISOString().slice(0, 10)
      const drifts = (random: () => number) => normalFrom(random) + (6 - ago) * 0.12
      const seen = seenOf({ variant, reference, digest, seed: device * 10 + ago, value: drifts })
      const key = { device: nameOf(device), model, variant, day }
      await health.putDay(db, key, { seen, points: [] })
      if (ago > 0) continue
      const receivedAt = at.toISOString()
      await health.putLatest(db, { ...key, report: `${device}`, seen, receivedAt })
    }
  }
  const time = at.toISOString()
  for (let device = 0; device < 12; device += 1) {
    await alarms.putAlarm(db, {
      ...{ rule: 'drift<0.2', model, device: nameOf(device * 700) },
      count: { state: 'raised', broken: 3, kept: 0 },
      evidence: 'drift 0.41 of output y over 600 inferences, three windows in a row',
      ...{ raisedAt: time, clearedAt: null, updatedAt: time },
    })
  }
}
