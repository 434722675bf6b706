import { onnxruntime } from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { medianOf, sorted } from '../../../shared/statistics/index.ts'
import { medianCi95 } from '../../../shared/statistics/order-statistics.ts'
import type { Tensor } from '../../../shared/tensors.ts'

const ROUNDS = 400
const MOST_MS = 20_000

/** Median, and its 95 % confidence interval. */
export interface Latency {
  readonly ms: number
  readonly ci95: readonly [number, number]
}

/** Beyond what the measurement can tell apart. */
export function isSlower(one: Latency, other: Latency): boolean {
  return one.ci95[0] > other.ci95[1]
}

/** Latency of each model on one thread, in turns so that a busy neighbour slows all. */
export async function latencies(
  models: readonly Uint8Array[],
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Latency[]> {
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
  return times.map((ms) => {
    const ordered = sorted(ms)
    return { ms: medianOf(ordered), ci95: medianCi95(ordered) }
  })
}
