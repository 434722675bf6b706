import type { LatencyRecord } from './latency-record.ts'

export interface Block {
  readonly startMs: number
  readonly endMs: number
  /** One per run. */
  readonly timesMs: Float64Array
}

export interface Warmup {
  readonly runs: number
  readonly ms: number
  readonly settled: boolean
}

export type Stopped = LatencyRecord['stopped']
