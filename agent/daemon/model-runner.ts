import type { ProbeOrder } from '../../shared/messages/index.ts'
import type { FieldRequest, ProbeRequest } from '../probe/index.ts'
import type { ModelRunner, ProbeEngines, ProbeFiles } from './agent-context.ts'
import { lookAt, runSelfTest } from './install/self-test.ts'
import { refusalOf } from './reports.ts'

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
      // A tournament goes on.
      return runProbe(requestOf(order, files, engines), { signal, more: true })
    },
    async probeAll(order, files, engines, signal) {
      const { runField } = await import('../probe/index.ts')
      const outcomes = await runField(fieldOf(order, files, engines), { signal, more: true })
      const ids = [order.id, ...(order.others ?? []).map(({ probe }) => probe)]
      return outcomes.map((one) => {
        if ('error' in one) return { error: refusalOf(one.error) }
        const ratios = one.ratios.flatMap((ratio, place) => {
          const probe = ids[place]
          return ratio && probe !== undefined ? [{ probe, ratio }] : []
        })
        return { record: { ...one.record, ratios } }
      })
    },
  }

  function requestOf(order: ProbeOrder, files: ProbeFiles, engines: ProbeEngines): ProbeRequest {
    const { measureMs, timeoutMs } = order
    const { answersMs, cores, decides, energy, rateHz, soakMs, tryThreads } = order
    return {
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
    }
  }

  function fieldOf(order: ProbeOrder, files: ProbeFiles, engines: ProbeEngines): FieldRequest {
    const { measureMs, decides, others = [] } = order
    const first = requestOf(order, files, engines)
    const entrants = others.flatMap(({ threads, answersMs }, i): ProbeRequest[] => {
      const [modelPath, engine] = [files.others[i], engines.others[i]]
      if (modelPath === undefined || engine === undefined) return []
      const own = { modelPath, engine, threads: allowed(threads), answersMs }
      return [{ ...first, ...own, baseline: null }]
    })
    const ids = [order.id, ...others.map(({ probe }) => probe)]
    const places = others.map(({ beside }) => {
      if (beside === undefined) return 'baseline'
      const place = beside === null ? -1 : ids.indexOf(beside)
      return place < 0 ? null : place
    })
    return {
      entrants: [first, ...entrants],
      beside: [besideFirst(order), ...places],
      measureMs,
      decides,
    }
  }

  function allowed(asked: number): number {
    return Math.min(asked, threads ?? asked)
  }
}

/** Its baseline may be one of the others: no model is measured twice. */
function besideFirst({ baseline, others = [] }: ProbeOrder): number | 'baseline' | null {
  if (baseline === null) return null
  const { artifact, runtime, accelerator = null } = baseline
  const place = others.findIndex(
    (other) =>
      other.artifact.digest === artifact.digest &&
      other.runtime === runtime &&
      (other.accelerator ?? null) === accelerator,
  )
  return place < 0 ? 'baseline' : place + 1
}
