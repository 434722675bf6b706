import { runProbe } from '../probe/index.ts'
import type { Bench } from './agent-context.ts'
import { runSelfTest } from './self-test.ts'

export interface BenchLimits {
  /** Most memory a child may use, bytes. */
  readonly memoryLimitBytes: number | null
  /** Most threads a measurement may use. */
  readonly threads: number | null
}

/** The real one: child processes on this machine. */
export function createBench({ memoryLimitBytes, threads }: BenchLimits): Bench {
  return {
    selfTest: (job, signal) => runSelfTest(job, signal),
    probe: (order, { variant, data, baseline }, signal) =>
      runProbe(
        {
          modelPath: variant,
          runtime: order.runtime,
          threads: Math.min(order.threads, threads ?? order.threads),
          datasetPath: data,
          baseline:
            order.baseline && baseline !== null
              ? { modelPath: baseline, runtime: order.baseline.runtime }
              : null,
          measureMs: order.measureMs,
          timeoutMs: order.timeoutMs,
          memoryLimitBytes,
          // The child runs here, whatever tree the agent reads its identity from.
          root: '/',
        },
        { signal },
      ),
  }
}
