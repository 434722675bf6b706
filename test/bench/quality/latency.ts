import { onnxruntime } from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { median } from '../bench.ts'

const ROUNDS = 400
const MOST_MS = 20_000

/** Median latency of each model on one thread, in turns so that a busy neighbour slows all; ms. */
export async function latencies(
  models: readonly Uint8Array[],
  inputs: Readonly<Record<string, Tensor>>,
): Promise<number[]> {
  const sessions = []
  for (const model of models) sessions.push(await onnxruntime.load(model, { threads: 1 }))
  const times: number[][] = sessions.map(() => [])
  const started = performance.now()
  for (let round = 0; round < ROUNDS && performance.now() - started < MOST_MS; round += 1) {
    for (const [i, session] of sessions.entries()) {
      const start = performance.now()
      await session.run(inputs)
      times[i]?.push(performance.now() - start)
    }
  }
  for (const session of sessions) await session.close()
  return times.map(median)
}
