import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { health, openDatabase } from '../../../planner/storage/index.ts'
import { packDay } from '../../../planner/storage/packed-windows.ts'
import { digestOf } from '../../../shared/digest.ts'
import type { Observations } from '../../../shared/messages/index.ts'
import { QuantileSketch } from '../../../shared/sketch/index.ts'
import { normalFrom, type Random, seededRandom } from '../../../shared/statistics/index.ts'

const DEVICES = 10_000
const BYTES = 2_048
const SEED = 16

t.test(`${DEVICES} devices' day takes no more than 2 KB each, seed ${SEED}`, async (t) => {
  const data = t.testdir({})
  const { db, close } = await openDatabase({ data })
  const random = seededRandom(SEED)
  // Of a picture of three channels and ten classes: 9 channels of inputs, 4 of outputs. An inference a second.
  const days = Array.from({ length: 10 }, () =>
    dayOf(random, [...new Array(9).fill(10), 11, 10, 10, 10]),
  )
  await db.transaction().execute(async (trx) => {
    for (let i = 0; i < DEVICES; i += 1) {
      const day = days[i % days.length] as (typeof days)[number]
      const key = {
        device: `press-${i}`,
        model: 'motor',
        variant: day.seen.variant,
        day: '2026-11-29',
      }
      await health.putDay(trx, key, day)
    }
  })
  t.equal((await health.daysOf(db, 'motor', '2026-11-29')).length, DEVICES)
  await close()
  const bytes = statSync(join(data, 'fitment.db')).size
  t.ok(bytes / DEVICES <= BYTES, `${(bytes / DEVICES).toFixed(0)} bytes a device`)
})

t.test('the largest day that there can be', async (t) => {
  const random = seededRandom(SEED)
  const day = dayOf(random, [33, ...new Array(31).fill(10)])
  const bytes = packDay(day).length
  t.ok(bytes <= BYTES, `${bytes} bytes of 32 channels and 128 buckets`)
})

function dayOf(random: Random, bins: readonly number[]) {
  const latency = new QuantileSketch()
  for (let i = 0; i < 86_400; i += 1) latency.add(Math.exp(1.5 + 0.8 * normalFrom(random)))
  const seen: Observations = {
    variant: digestOf('a variant'),
    from: '2026-11-29T00:00:00.000Z',
    windowMs: 86_400_000,
    inferences: 86_400,
    latency: latency.state(),
    reference: digestOf('a reference'),
    channels: bins.map((many) =>
      Array.from({ length: many }, () => Math.round((86_400 / many) * (0.8 + 0.4 * random()))),
    ),
    refused: { 'not-finite': 12, 'not-looked-into': 400 },
    host: { hottestCelsius: 61.5, throttled: 3, availableBytes: 812_000_000, restarts: 0 },
    check: null,
  }
  const points = Array.from(
    { length: 24 },
    (_, hour) => [hour * 60, 3_600, 0.01 * hour, 12.345, 55 + hour / 3] as const,
  )
  return { seen, points }
}
