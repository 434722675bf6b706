/** What a candidate reached, as far as anybody measured; shares of one. */
interface Judged {
  readonly accuracy: number | null
  readonly agreement?: number | null
  readonly metric?:
    | { readonly value: number | null; readonly direction: string; readonly unit: string }
    | undefined
}

interface Candidate {
  readonly host: Judged | null
  readonly measured: Judged | null
}

/** What stands for quality: the metric that was chosen, else accuracy, else how often it answers as float32 does. */
export const QUALITY_NAMES = {
  metric: 'metric',
  accuracy: 'accuracy',
  agreement: 'agreement with float32',
} as const
export type QualityName = keyof typeof QUALITY_NAMES

export interface QualityOf {
  readonly name: QualityName
  readonly value: number
}

/** Over the whole test set on the planner's host before what devices saw of it; null: nobody knows. */
export function qualityOf({ host, measured }: Candidate): QualityOf | null {
  for (const judged of [host, measured]) {
    if (!judged) continue
    const { metric } = judged
    if (metric?.value != null && metric.direction === 'higher' && metric.unit === 'share')
      return { name: 'metric', value: metric.value }
    if (judged.accuracy !== null) return { name: 'accuracy', value: judged.accuracy }
    if (judged.agreement != null) return { name: 'agreement', value: judged.agreement }
  }
  return null
}

interface Measurement {
  readonly p50Ms: number | null
  readonly ci95: readonly [number, number] | null
  readonly counts: boolean
}

/** The interval of the measurement that is nearest to what the class is said to take. */
export function intervalOf(
  p50Ms: number | null,
  measurements: readonly Measurement[],
): readonly [number, number] | null {
  if (p50Ms === null) return null
  const off = (one: Measurement) => Math.abs((one.p50Ms ?? Number.POSITIVE_INFINITY) - p50Ms)
  const [nearest] = measurements
    .filter(({ counts, ci95, p50Ms: own }) => counts && ci95 !== null && own !== null)
    .sort((a, b) => off(a) - off(b))
  return nearest?.ci95 ?? null
}
