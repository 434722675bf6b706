import { generatedSample } from '../../../planner/conversion/samples.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'

/** Longest spent on one file, ms. */
const BUDGET_MS = 1_500
const MOST_RUNS = 30

/** Median of the runs that fit into the budget, after one that warms up; LiteRT.js, ms. */
export async function latencyOf(tflite: Uint8Array): Promise<number> {
  const runtime = await loadRuntime('litert')
  const session = await runtime.load(tflite)
  const sample = generatedSample(session.inputs, 1)
  await session.run(sample)
  const times: number[] = []
  const until = performance.now() + BUDGET_MS
  while (times.length < 3 || (performance.now() < until && times.length < MOST_RUNS)) {
    const started = performance.now()
    await session.run(sample)
    times.push(performance.now() - started)
  }
  await session.close()
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}
