import type { EngineChoice } from '../../shared/runtime/index.ts'

/** One variant to measure in a child process. */
export interface ProbeRequest {
  readonly modelPath: string
  readonly engine: EngineChoice
  readonly threads: number
  /** .npz with `x`, and `y` and `reference` where there are any. */
  readonly datasetPath: string
  /** Measured in turns with the model for the ratio of their times; null for none. */
  readonly baseline: ProbeBaseline | null
  /** Processors the child is kept on; absent: wherever the system puts it. */
  readonly cores?: number[] | undefined
  /** Try up to `threads` threads, and which cores, before; the best is measured. */
  readonly tryThreads?: boolean | undefined
  /** Runs begin so often a second; absent: one after the other. */
  readonly rateHz?: number | undefined
  /** Afterwards run for so long without a pause, ms. */
  readonly soakMs?: number | undefined
  /** Afterwards measure the energy of a run, where there is a meter. */
  readonly energy?: boolean | undefined
  /** Ratios to the baseline that the decision hangs on. */
  readonly decides?: readonly number[] | undefined
  /** Time to spend on latency, warm-up not counted, ms. */
  readonly measureMs: number
  /** Time for answers to the test data, ms; absent: a share of the limit. One sample is answered in any case. */
  readonly answersMs?: number | undefined
  /** The child is killed after this, ms. */
  readonly timeoutMs: number
  /** Most resident memory of the child, bytes; null for no limit. */
  readonly memoryLimitBytes: number | null
  /** Where /proc and /sys are found. */
  readonly root: string
}

interface ProbeBaseline {
  readonly modelPath: string
  readonly engine: EngineChoice
  /** Where others suit it than the model. */
  readonly threads?: number | undefined
}

/** One of several that are measured in turns. */
export type Side = Pick<ProbeRequest, 'modelPath' | 'engine' | 'threads'>

/** Latencies of several in turns, and nothing else. */
export interface SidesRequest
  extends Pick<
    ProbeRequest,
    'datasetPath' | 'cores' | 'decides' | 'measureMs' | 'timeoutMs' | 'memoryLimitBytes' | 'root'
  > {
  readonly sides: readonly Side[]
}

/** Of a request for something else: the variant by itself, without answers and what comes after. */
export const LATENCY_ALONE = {
  baseline: null,
  answersMs: 0,
  decides: undefined,
  energy: undefined,
  soakMs: undefined,
  tryThreads: undefined,
} as const satisfies Partial<ProbeRequest>
