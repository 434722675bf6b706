/** Real numbers with their shape; of one sample, so without the data set's dimension. */
export interface RealArray {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

/** One output of one run, integers already as what they stand for. */
export interface RealOutput extends RealArray {
  readonly name: string
}

/** What a model answered to one sample, and what it should have. */
export interface Answer {
  /** In the model's order. */
  readonly outputs: readonly RealOutput[]
  /** Labels of this sample by the name behind `y.`; '' is `y` itself. */
  readonly truth: ReadonlyMap<string, RealArray>
  /** What the float model answers, by the output's name. */
  readonly reference: ReadonlyMap<string, ArrayLike<number>> | undefined
}

/** What is known of the model before its first run. */
export interface Subject {
  /** Shapes of its inputs, in its order; open dimensions below 0. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

export interface Score {
  readonly value: number
  /** Figures beside it, by name: mAP at one IoU, … */
  readonly parts?: Readonly<Record<string, number>>
}

/**
 * Gathers answers, one sample at a time. What it keeps of a sample is small and bounded, whatever the outputs' size.
 * A user's own one stands in a thread: hence the promises.
 */
export interface Meter {
  /** @throws MetricError where labels or outputs are not what the metric takes */
  add(answer: Answer): void | Promise<void>
  /** @throws MetricError `unmeasurable` */
  score(): Score | Promise<Score>
  close?(): Promise<void>
}
