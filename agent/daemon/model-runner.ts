import type { ModelRunner } from './agent-context.ts'
import { lookAt, runSelfTest } from './install/self-test.ts'

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
    mostThreads: threads,
    selfTest: (job, signal) => runSelfTest(job, signal),
    look: (job, signal) => lookAt(job, signal),
    async probe(order, files, engines, signal) {
      // Loaded at the first probe: an agent that never probes need not hold it.
      const { awaitQuiet, runProbe } = await import('../probe/index.ts')
      const { measureMs, quietMs = 0, timeoutMs } = order
      // In vain or not: the record says whether it was disturbed.
      await awaitQuiet(root, quietMs, signal)
      return runProbe(
        {
          modelPath: files.variant,
          engine: engines.variant,
          threads: Math.min(order.threads, threads ?? order.threads),
          datasetPath: files.data,
          baseline:
            engines.baseline && files.baseline
              ? { modelPath: files.baseline, engine: engines.baseline }
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
