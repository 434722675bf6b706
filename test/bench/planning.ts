import type { Benchmark, BenchRow } from './bench.ts'
import { plannedRun, type Subject, subjects } from './planned-run.ts'

/** How long it is from a registration to the choice, on one device beside its planner, and what it is spent on. */
export const planningBenchmark: Benchmark = {
  name: 'planning',
  run: async () => {
    const rows: BenchRow[] = []
    for (const subject of subjects()) rows.push(await measured(subject))
    return rows
  },
}

async function measured(subject: Subject): Promise<BenchRow> {
  const { name, goalS } = subject
  const { seconds, why, explanation } = await plannedRun(subject, changes(performance.now()))
  const probes = explanation.candidates.flatMap(({ measurements }) => measurements)
  const built = explanation.candidates.filter(({ bytes }) => bytes !== null)
  console.log(`${name}: ${why} (${built.length} files, ${probes.length} probes)`)
  return {
    name: `${name}: registered → chosen`,
    measured: `${seconds.toFixed(1)} s`,
    baseline: `${goalS} s`,
    ratio: seconds / goalS,
    goal: `≤ ${goalS} s`,
    met: seconds <= goalS,
  }
}

/** Tells each thing once, when it begins. */
function changes(started: number): (what: string) => void {
  let last = ''
  return (what) => {
    if (what === last) return
    last = what
    const seconds = (performance.now() - started) / 1000
    console.log(`${seconds.toFixed(1).padStart(6)} s  ${what}`)
  }
}
