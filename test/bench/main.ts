/** `npm run bench [name …]`: every promise about speed and memory, held against a baseline of the same run. */
import { cpus } from 'node:os'
import { tableText as table } from '../../planner/cli/print/layout.ts'
import { installedRuntimes } from '../../shared/runtime/index.ts'
import type { Benchmark, BenchRow } from './bench.ts'
import { brokerBenchmark } from './broker.ts'
import { contentionBenchmark } from './contention.ts'
import * as delivery from './delivery.ts'
import { disturbanceBenchmark } from './disturbance.ts'
import { idleAgentBenchmark } from './idle-agent.ts'
import { planningBenchmark } from './planning.ts'
import { quantizeBenchmark } from './quantize.ts'
import { runtimesBenchmark } from './runtimes.ts'
import { scaleBenchmark } from './scale.ts'

const BENCHMARKS: readonly Benchmark[] = [
  quantizeBenchmark,
  planningBenchmark,
  runtimesBenchmark,
  idleAgentBenchmark,
  disturbanceBenchmark,
  contentionBenchmark,
  delivery,
  brokerBenchmark,
  scaleBenchmark,
]

const asked = process.argv.slice(2)
const chosen = BENCHMARKS.filter(({ name }) => asked.length === 0 || asked.includes(name))
const runtimes = (await installedRuntimes()).map(({ name, version }) => `${name} ${version}`)
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${runtimes.join(', ')}\n`,
)

const rows: BenchRow[] = []
for (const benchmark of chosen) {
  const reason = benchmark.unavailable?.()
  if (reason === undefined) rows.push(...(await benchmark.run()))
  else console.log(`${benchmark.name} skipped: ${reason}`)
}
console.log(
  table(
    ['WHAT', 'MEASURED', 'AGAINST', 'RATIO', 'PROMISE', ''],
    rows.map(({ name, measured, baseline, ratio, goal, met }) => [
      name,
      measured,
      baseline,
      ratio === null ? '—' : `${ratio.toFixed(2)}×`,
      goal,
      met ? 'kept' : 'BROKEN',
    ]),
  ),
)
process.exitCode = rows.every(({ met }) => met) ? 0 : 1
