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
    async atRest({ quietMs = 0 }, signal) {
      if (quietMs === 0) return
      const { awaitQuiet } = await import('../probe/index.ts')
      // In vain or not: the record says whether it was disturbed.
      await awaitQuiet(root, quietMs, signal)
    },
    async probe(order, files, engines, signal) {
      // Loaded at the first probe: an agent that never probes need not hold it.
      const { runProbe } = await import('../probe/index.ts')
      const { measureMs, timeoutMs } = order
      const { answersMs, cores, decides, energy, rateHz, soakMs, tryThreads } = order
      const allowed = (asked: number) => Math.min(asked, threads ?? asked)
      return runProbe(
        {
          modelPath: files.variant,
          engine: engines.variant,
          threads: allowed(order.threads),
          datasetPath: files.data,
          baseline:
            engines.baseline && files.baseline
              ? {
                  modelPath: files.baseline,
                  engine: engines.baseline,
                  threads: order.baseline?.threads && allowed(order.baseline.threads),
                }
              : null,
          ...{ answersMs, cores, decides, energy, rateHz, soakMs, tryThreads },
          ...{ measureMs, timeoutMs },
          memoryLimitBytes,
          root,
        },
        // A tournament goes on.
        { signal, more: true },
      )
    },
  }
}
