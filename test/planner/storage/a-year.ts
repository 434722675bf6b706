import { statSync } from 'node:fs'
import { join } from 'node:path'
import { prune, type Retention } from '../../../planner/conductor/index.ts'
import {
  audit,
  type Database,
  devices,
  health,
  memberships,
  orders,
  reports,
  rollouts,
} from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import type { Observations, Report } from '../../../shared/messages/index.ts'
import { QuantileSketch } from '../../../shared/sketch/index.ts'
import { normalFrom, seededRandom } from '../../../shared/statistics/index.ts'
import { birth } from './sample.ts'

const WEEK_MS = 7 * 86_400_000
const START = Date.parse('2027-01-04T00:00:00.000Z')
const VARIANTS = ['a', 'b'].map((name) => digestOf(name))
/** What one installation says. */
const STATES = ['accepted', 'downloading', 'verified', 'installed', 'active'] as const
/** Births of a device in a week: a reboot, and a link that breaks. */
const BIRTHS = 3
/** What operators and devices leave in the audit in a week. */
const ENTRIES = 50

export interface YearSettings {
  readonly devices: number
  readonly weeks: number
  /** Undefined: nothing is ever forgotten. */
  readonly retention: Retention | undefined
  /** After each week. */
  readonly onWeek?: (week: number) => void
}

/**
 * A fleet whose model is rolled out to all of it every week, whose devices are observed every day, by the statements that a
 * planner writes: only what it would do in between is left out. Then, each week, what is older than it is kept goes.
 */
export async function liveThrough(
  database: Database,
  { devices: count, weeks, retention = undefined, onWeek }: YearSettings,
): Promise<void> {
  const { db } = database
  const names = Array.from({ length: count }, (_, index) => `d${String(index).padStart(6, '0')}`)
  const day = aDay()
  let before: string | undefined
  for (let week = 0; week < weeks; week += 1) {
    const at = new Date(START + week * WEEK_MS)
    const variant = VARIANTS[week % VARIANTS.length] ?? ''
    await db.transaction().execute(async (trx) => {
      for (const name of names) {
        for (let one = 0; one < BIRTHS; one += 1) {
          const connection = week * BIRTHS + one
          await devices.recordBirth(trx, name, birth(connection), at)
        }
      }
      const rollout = await rollouts.addRollout(
        trx,
        {
          model: 'm',
          modelName: 'motor',
          class: 'raspberry-pi-4',
          selection: 1,
          state: 'running',
          options: {
            waves: [{ share: 1 }],
            gate: { successShare: 0.95, failureThreshold: 0.1, minimumSample: 3 },
            approval: false,
            revert: false,
          } as never,
          reason: '',
        },
        at,
      )
      if (before !== undefined)
        await rollouts.moveRollout(trx, before, { state: 'superseded', wave: 1, reason: '' }, at)
      before = rollout.id
      await memberships.closeAssignments(trx, names, 'motor')
      for (const name of names) {
        const order = `${rollout.id}-${name}`
        await orders.addOrder(
          trx,
          name,
          {
            v: 1,
            id: order,
            kind: 'assign',
            model: 'motor',
            variant,
            expiresAt: new Date(at.getTime() + WEEK_MS).toISOString(),
          } as never,
          [variant, digestOf('blocks'), digestOf('self test')],
          at,
          new Date(at.getTime() + WEEK_MS),
        )
        const member = { rollout: rollout.id, device: name, wave: 0, variant, previous: variant }
        await memberships.putMembers(
          trx,
          [{ ...member, state: 'active', orderId: order, attempt: 1 }],
          at,
        )
        const said = STATES.map((state, index): { device: string; report: Report } => ({
          device: name,
          report: {
            v: 1,
            id: `${order}-${index}`,
            at: at.toISOString(),
            kind: 'install',
            order,
            model: 'motor',
            variant,
            state,
          },
        }))
        await reports.storeReports(trx, said, at)
        for (let offset = 0; offset < 7; offset += 1) {
          const date = new Date(at.getTime() + offset * 86_400_000).toISOString().slice(0, 10)
          await health.putDay(trx, { device: name, model: 'motor', variant, day: date }, day)
        }
      }
      for (;;) {
        const waiting = await reports.unhandledReports(trx, 500)
        if (waiting.length === 0) break
        await reports.markHandled(
          trx,
          waiting.map(({ seq }) => seq),
          at,
        )
      }
      for (let entry = 0; entry < ENTRIES; entry += 1) {
        const detail = { note: 'of an ordinary length, as they are' }
        const what = { actor: 'cli:somebody', action: 'rollout.started', subject: 'motor', detail }
        await audit.writeAudit(trx, what, at)
      }
    })
    if (retention !== undefined) {
      const now = new Date(at.getTime() + WEEK_MS)
      const signal = new AbortController().signal
      await prune(db, { retention, now, signal, pauseMs: 0 })
    }
    onWeek?.(week)
  }
}

/** Of the database's file and what is not yet folded into it. */
export function bytesOf(data: string): number {
  return ['fitment.db', 'fitment.db-wal']
    .map((name) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
}

/** Of a picture of three channels and ten classes, an inference a second. */
function aDay() {
  const random = seededRandom(15)
  const latency = new QuantileSketch()
  for (let i = 0; i < 8_640; i += 1) latency.add(Math.exp(1.5 + 0.8 * normalFrom(random)))
  const bins = [...new Array(9).fill(10), 11, 10, 10, 10] as number[]
  const seen: Observations = {
    variant: digestOf('a'),
    from: '2027-01-04T00:00:00.000Z',
    windowMs: 86_400_000,
    inferences: 86_400,
    latency: latency.state(),
    reference: digestOf('a reference'),
    channels: bins.map((many) =>
      Array.from({ length: many }, () => Math.round((86_400 / many) * (0.8 + 0.4 * random()))),
    ),
    refused: {},
    host: { hottestCelsius: 61.5, throttled: 3, availableBytes: 812_000_000, restarts: 0 },
    check: null,
  }
  const points = Array.from(
    { length: 24 },
    (_, hour) => [hour * 60, 3_600, 0.01 * hour, 12.345, 55 + hour / 3] as const,
  )
  return { seen, points }
}
