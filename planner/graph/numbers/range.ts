/** Closed interval of real numbers. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** Values beyond this are masks and sentinels (-inf paddings, float maxima), never measurements. */
export const SENTINEL_MAGNITUDE = 3e38
