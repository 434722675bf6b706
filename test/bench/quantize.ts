import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../planner/variants/quantizer.ts'
import { readDataset, samplesFor } from '../../shared/dataset/index.ts'
import { loadInProcess } from '../../shared/runtime/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../shared-data.ts'
import { type Benchmark, type BenchRow, median } from './bench.ts'

const ROUNDS = 5
const GOAL = 3

/** Issue 2: quantizing ic01 with 300 samples takes at most three times what running them through the float model takes. */
export const quantizeBenchmark: Benchmark = {
  name: 'quantize',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const root = join(sharedData() ?? '', 'mlperf-tiny')
    const model = await readFile(join(root, 'ic01_float32.tflite'))
    const calibration = await readDataset(join(root, 'ic01_calibration.npz'))
    const session = await (await loadInProcess('litert')).load(model, { threads: 1 })
    const samples = samplesFor(calibration, session.inputs)
    const quantizing: number[] = []
    const running: number[] = []
    // In turns, so that a busy neighbour slows both.
    for (let round = 0; round < ROUNDS; round += 1) {
      running.push(await timed(() => runAll(samples.count, (i) => session.run(samples.at(i)))))
      quantizing.push(
        await timed(() =>
          quantize({
            model,
            target: 'litert',
            scheme: parseScheme('static-w8a8-io8'),
            calibration,
          }),
        ),
      )
    }
    await session.close()
    return [rowOf(median(quantizing), median(running), samples.count)]
  },
}

function rowOf(quantizingMs: number, runningMs: number, samples: number): BenchRow {
  const ratio = quantizingMs / runningMs
  return {
    name: `quantize ic01 static-w8a8-io8, ${samples} samples`,
    measured: `${quantizingMs.toFixed(0)} ms`,
    baseline: `${runningMs.toFixed(0)} ms to run them through the float model`,
    ratio,
    goal: `≤ ${GOAL}×`,
    met: ratio <= GOAL,
  }
}

async function runAll(count: number, run: (index: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i += 1) await run(i)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
