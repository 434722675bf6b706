import { generatedSample } from '../../../planner/conversion/samples.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'

/** Longest spent on one network, ms. */
const BUDGET_MS = 3_000
const MOST_RUNS = 30

/** Median of each file's runs in LiteRT.js, in turns, after one that warms up, ms. */
export async function latenciesOf(files: readonly Uint8Array[]): Promise<number[]> {
  const runtime = await loadRuntime('litert')
  const racers = []
  for (const file of files) {
    const session = await runtime.load(file)
    const sample = generatedSample(session.inputs, 1)
    await session.run(sample)
    racers.push({ session, sample, times: [] as number[] })
  }
  const until = performance.now() + BUDGET_MS
  for (let turn = 0; turn < 3 || (performance.now() < until && turn < MOST_RUNS); turn += 1)
    for (const { session, sample, times } of racers) {
      const started = performance.now()
      await session.run(sample)
      times.push(performance.now() - started)
    }
  for (const { session } of racers) await session.close()
  return racers.map(({ times }) => times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN)
}
