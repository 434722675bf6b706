import type { ModelRunner } from './agent-context.ts'
import { runSelfTest } from './install/self-test.ts'

export interface ModelRunnerLimits {
  /** Most memory a child may use, bytes; `null`: no limit. */
  readonly memoryLimitBytes: number | null
  /** Most threads a measurement may use; `null`: as many as the order says. */
  readonly threads: number | null
  /** Where /proc and /sys are found. */
  readonly root: string
}

/** The real one: child processes on this machine. */
export function createModelRunner({
  memoryLimitBytes,
  threads,
  root,
}: ModelRunnerLimits): ModelRunner {
  return {
    selfTest: (job, signal) => runSelfTest(job, signal),
    async probe(order, files, signal) {
      // Loaded at the first probe: an agent that never probes need not hold it.
      const { runProbe } = await import('../probe/index.ts')
      const { runtime, baseline, measureMs, timeoutMs } = order
      return runProbe(
        {
          modelPath: files.variant,
          runtime,
          threads: Math.min(order.threads, threads ?? order.threads),
          datasetPath: files.data,
          baseline:
            baseline && files.baseline
              ? { modelPath: files.baseline, runtime: baseline.runtime }
              : null,
          measureMs,
          timeoutMs,
          memoryLimitBytes,
          root,
        },
        { signal },
      )
    },
  }
}
