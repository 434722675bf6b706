import { awaitQuiet } from '../../agent/probe/index.ts'
import type { Explanation } from '../../planner/api/index.ts'
import type { Benchmark, BenchRow } from './bench.ts'
import { beside } from './hogs.ts'
import { type Planned, plannedRun, type Subject, subjects } from './planned-run.ts'

/** Plans of each model beside hogs; fewer with FITMENT_BENCH_RUNS. */
const RUNS = Number(process.env.FITMENT_BENCH_RUNS ?? 10)
const HOGS = 2
/** This host is waited for so long before it counts as one that never rests. */
const PATIENCE_MS = 60_000

/**
 * Whole plans beside hogs, accepting noise: is every measurement known as disturbed, and is what is chosen never slower, by
 * more than its interval, than another in a quiet plan? Where the host does not rest, the quiet part says so.
 */
export const contentionBenchmark: Benchmark = {
  name: 'contention',
  unavailable: () => (process.platform === 'linux' ? undefined : 'reads /proc'),
  run: async () => {
    // Both at rest before any hog: a host that was busy takes minutes to be quiet again.
    const resting: [Subject, Planned | undefined][] = []
    for (const subject of subjects()) resting.push([subject, await atRest(subject)])
    const rows: BenchRow[] = []
    for (const [subject, quiet] of resting) rows.push(...(await rowsOf(subject, quiet)))
    return rows
  },
}

async function atRest(subject: Subject): Promise<Planned | undefined> {
  if (!(await awaitQuiet('/', PATIENCE_MS))) {
    console.log(`${subject.name}: no quiet plan: no rest here within ${PATIENCE_MS / 1000} s`)
    return undefined
  }
  const quiet = await plannedRun(subject)
  tell(subject.name, 'quiet', quiet)
  return quiet
}

async function rowsOf(subject: Subject, quiet: Planned | undefined): Promise<readonly BenchRow[]> {
  const { name } = subject
  const busy: Planned[] = []
  for (let run = 1; run <= RUNS; run++) {
    const planned = await beside(HOGS, () => plannedRun(subject))
    tell(name, `beside ${HOGS} hogs, ${run} of ${RUNS}`, planned)
    busy.push(planned)
  }
  const records = busy.flatMap(({ explanation }) => verdictsIn(explanation))
  return [
    {
      name: `${name}: measurements beside ${HOGS} hogs called disturbed`,
      ...counted(records.filter((verdict) => verdict !== 'ok').length, records.length),
      goal: '≥ 95 %',
      met: records.filter((verdict) => verdict !== 'ok').length >= 0.95 * records.length,
    },
    ...(quiet ? quietRows(name, quiet, busy) : []),
  ]
}

function quietRows(name: string, quiet: Planned, busy: readonly Planned[]): readonly BenchRow[] {
  const records = verdictsIn(quiet.explanation)
  const flagged = records.filter((verdict) => verdict !== 'ok').length
  const slower = busy.filter(({ explanation }) => isSlowerIn(quiet.explanation, explanation.chosen))
  return [
    {
      name: `${name}: quiet measurements called disturbed`,
      ...counted(flagged, records.length),
      goal: '≤ 5 %',
      met: flagged <= 0.05 * records.length,
    },
    {
      name: `${name}: chosen beside hogs, shown to be slower in a quiet plan`,
      ...counted(slower.length, busy.length),
      goal: 'none',
      met: slower.length === 0,
    },
  ]
}

/** Whether the quiet plan shows, by its interval, that something else is faster by what matters. */
function isSlowerIn(quiet: Explanation, chosen: Explanation['chosen']): boolean {
  const row = quiet.candidates.find(
    (one) => one.scheme === chosen?.scheme && one.runtime === chosen?.runtime,
  )
  const beside = row?.besideChosen
  return beside != null && beside.ci95[0] > 1 && beside.p50 >= 1.05
}

function verdictsIn({ candidates }: Explanation): readonly string[] {
  return candidates.flatMap(({ measurements }) =>
    measurements.flatMap(({ verdict }) => verdict ?? []),
  )
}

function counted(found: number, all: number): Pick<BenchRow, 'measured' | 'baseline' | 'ratio'> {
  const share = all === 0 ? 0 : (100 * found) / all
  return { measured: `${found} of ${all} (${share.toFixed(1)} %)`, baseline: `${all}`, ratio: null }
}

function tell(name: string, how: string, { seconds, explanation }: Planned): void {
  const { chosen } = explanation
  const what = chosen ? `${chosen.scheme} on ${chosen.runtime}` : 'nothing'
  const verdicts = verdictsIn(explanation)
  const disturbed = verdicts.filter((verdict) => verdict !== 'ok').length
  console.log(
    `${name} ${how}: ${what}, ${seconds.toFixed(0)} s, ${disturbed} of ${verdicts.length} disturbed`,
  )
}
