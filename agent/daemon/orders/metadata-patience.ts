export interface MetadataPatience {
  /** Silence of a connected planner after which metadata is given up, ms. */
  readonly silenceMs: number
  /** Until it must be here whole, however steadily it trickles, ms. */
  readonly wholeMs: number
}
