import { type Dataset, samplesFor } from '../../../shared/dataset/index.ts'
import {
  budgetOf,
  type LatencyRatio,
  type LatencyRecord,
  measureBeside,
} from '../../../shared/measure/index.ts'
import { loadInProcess, type Runtime, type Session } from '../../../shared/runtime/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import type { ComparedFile } from '../opened-model.ts'

export interface ComparedLatency {
  readonly latency: LatencyRecord
  /** Of the float model, measured in turns with this one. */
  readonly baseline: LatencyRecord
  /** Below 1: faster than the float model. */
  readonly ratio: LatencyRatio
}

/** Inputs to rotate, converted before the clock starts. */
const ROTATED = 8

/**
 * Times every quantized model in turns with the float one, on one thread of this process. The models have run
 * before: a file that takes the runtime down must not get here.
 * @param budgetMs for each pair
 */
export async function measurePairs(
  float: ComparedFile,
  quantized: readonly ComparedFile[],
  dataset: Dataset,
  budgetMs: number,
  onPair: (done: number) => void,
): Promise<ComparedLatency[]> {
  const runtime = await loadInProcess(referenceTarget(float.format))
  const baseline = await openRun(runtime, float, dataset)
  const measured: ComparedLatency[] = []
  try {
    for (const file of quantized) {
      const one = await openRun(runtime, file, dataset)
      try {
        measured.push(await measureBeside(one.run, baseline.run, budgetOf(budgetMs)))
      } finally {
        await one.session.close()
      }
      onPair(measured.length)
    }
    return measured
  } finally {
    await baseline.session.close()
  }
}

async function openRun(runtime: Runtime, { bytes }: ComparedFile, dataset: Dataset) {
  const session: Session = await runtime.load(bytes, { threads: 1 })
  const samples = samplesFor(dataset, session.inputs)
  const rotated = Array.from({ length: Math.min(ROTATED, samples.count) }, (_, i) => samples.at(i))
  const run = (turn: number) =>
    session.run(rotated[turn % rotated.length] as (typeof rotated)[number])
  return { session, run }
}
