import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadProfilesWith } from '../../planner/classes/index.ts'
import { Agenda } from '../../planner/conductor/context/agenda.ts'
import { createFleetStore } from '../../planner/conductor/fleet-store.ts'
import { DEFAULT_RETENTION } from '../../planner/conductor/index.ts'
import { createArtifactStore, type Database, openDatabase } from '../../planner/storage/index.ts'
import { openTrust } from '../../planner/trust/index.ts'
import { NO_FAIL_POINTS } from '../../shared/fail-points.ts'
import { formatBytes } from '../../shared/units.ts'
import { bytesOf, liveThrough } from '../planner/storage/a-year.ts'
import { boardFacts } from '../simulate/boards.ts'
import { simulateSettings } from '../simulate/settings.ts'
import { simulate } from '../simulate/simulate.ts'
import type { Benchmark, BenchRow } from './bench.ts'

const BIRTHS = 2_000
const BIRTH_MS = 0.5
/** As many as are promised of one machine. */
const FLEET = 10_000
const BIRTHS_PER_SECOND = 2_000
const IDLE_SHARE = 0.05
const DEVICES = 60
const YEAR_DEVICES = 30

/** Issue 15, as far as it shows with few devices: `docs/scale.md` has the many. */
export const scaleBenchmark: Benchmark = {
  name: 'scale',
  run: async () => [
    await inFolder(birthsRow),
    ...(await fleetRows()),
    ...(await ordersRows()),
    await inFolder(yearRow),
  ],
}

/** All at once, as after an outage: the planner's own part, in one commit for 256. */
async function birthsRow(database: Database, data: string): Promise<BenchRow> {
  const { db } = database
  const boards = await boardFacts(4, data)
  const now = () => new Date()
  const store = createFleetStore({
    ...{ db, now, failPoints: NO_FAIL_POINTS, agenda: new Agenda(), onChange: () => {} },
    artifacts: createArtifactStore(data, db, now),
    trust: await openTrust({ dir: join(data, 'trust'), now }),
    profiles: await loadProfilesWith(undefined),
    log: pino({ level: 'silent' }),
  })
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: BIRTHS }, (_, index) => {
      const facts = boards[index % boards.length]
      if (!facts) throw new Error('no boards')
      return store.recordBirth(`d${index}`, {
        ...{ v: 1, id: `birth-${index}`, epoch: { start: `start-${index}`, connection: 1 } },
        ...{ agentVersion: '0.1.0', memoryLimitBytes: null, slots: [] },
        roots: { director: 0, image: 0 },
        ...facts,
      })
    }),
  )
  const { user, system } = process.cpuUsage(before)
  const each = (user + system) / 1_000 / BIRTHS
  return {
    name: `births stored, ${BIRTHS} at once: processor time each`,
    measured: `${each.toFixed(2)} ms`,
    baseline: `${BIRTH_MS} ms`,
    ratio: each / BIRTH_MS,
    goal: `≤ ${BIRTH_MS} ms`,
    met: each <= BIRTH_MS,
  }
}

/** Broker and planner in one process, and all devices in another on the same processors. */
async function fleetRows(): Promise<readonly BenchRow[]> {
  const options = { devices: FLEET, until: 'births', idle: 10 }
  const { births, idle } = await simulate(
    simulateSettings(Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])),
  )
  const each = births.cpuMsPerDevice
  const share = idle?.cpuShare ?? Number.POSITIVE_INFINITY
  return [
    {
      name: `births of ${FLEET} devices over sockets`,
      measured: `${births.perSecond.toFixed(0)}/s`,
      baseline: `${BIRTHS_PER_SECOND}/s`,
      ratio: births.perSecond / BIRTHS_PER_SECOND,
      goal: `≥ ${BIRTHS_PER_SECOND}/s`,
      met: births.perSecond >= BIRTHS_PER_SECOND,
    },
    {
      name: 'processor time of each, broker and planner',
      measured: `${each.toFixed(2)} ms`,
      baseline: `${BIRTH_MS} ms`,
      ratio: each / BIRTH_MS,
      goal: `≤ ${BIRTH_MS} ms`,
      met: each <= BIRTH_MS,
    },
    {
      name: `${FLEET} devices that only ping`,
      measured: `${(100 * share).toFixed(1)} % of a core`,
      baseline: `${100 * IDLE_SHARE} %`,
      ratio: share / IDLE_SHARE,
      goal: `≤ ${100 * IDLE_SHARE} %`,
      met: share <= IDLE_SHARE,
    },
  ]
}

async function ordersRows(): Promise<readonly BenchRow[]> {
  const figures = await simulate(
    simulateSettings(['--devices', `${DEVICES}`, '--max-bytes', '70000', '--patience', '900']),
  )
  return ['probe', 'assign'].map((kind) => {
    const { sent = 0, needed = 0 } = figures.orders[kind] ?? {}
    const ratio = sent / needed
    return {
      name: `${kind} orders to ${DEVICES} devices`,
      measured: `${sent} sent`,
      baseline: `${needed} needed`,
      ratio,
      goal: 'once each',
      met: ratio <= 1 && figures.failures.length === 0,
    }
  })
}

/** What is kept has an age: the second half of a year adds its audit. */
async function yearRow(database: Database, data: string): Promise<BenchRow> {
  const sizes: number[] = []
  await liveThrough(database, {
    ...{ devices: YEAR_DEVICES, weeks: 52, retention: DEFAULT_RETENTION },
    onWeek: () => sizes.push(bytesOf(data)),
  })
  const [half = 0, end = 0] = [sizes[25], sizes.at(-1)]
  return {
    name: `database of ${YEAR_DEVICES} devices after a year`,
    measured: `${formatBytes(end)}, ${formatBytes(end / YEAR_DEVICES)} a device`,
    baseline: `${formatBytes(half)} after half of it`,
    ratio: end / half,
    goal: '≤ 1.1×',
    met: end / half <= 1.1,
  }
}

async function inFolder<T>(work: (database: Database, data: string) => Promise<T>): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'bench-scale-'))
  const database = await openDatabase({ data })
  try {
    return await work(database, data)
  } finally {
    await database.close()
    rmSync(data, { recursive: true, force: true })
  }
}
