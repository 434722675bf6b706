import type { Dataset } from '../../../shared/dataset/index.ts'
import { evaluate, type QualityRecord, withAnswers } from '../../../shared/measure/index.ts'
import { loadRuntime, type Runtime, type RuntimeName } from '../../../shared/runtime/index.ts'
import { QuantizerError } from '../errors.ts'

export type Metric = 'accuracy' | 'agreement'

/** Asks files for answers in their real runtime, and counts what the float model's they lose. */
export class MetricEvaluator {
  readonly metric: Metric
  readonly samples: number
  readonly #runtime: Runtime
  readonly #dataset: Dataset

  private constructor(runtime: Runtime, dataset: Dataset, metric: Metric) {
    this.#runtime = runtime
    this.#dataset = dataset
    this.metric = metric
    this.samples = dataset.samples
  }

  /** Lets the float model answer. @throws QuantizerError `budget-unmeasurable` where its answers are no classes */
  static async start(
    name: RuntimeName,
    float: Uint8Array,
    dataset: Dataset,
  ): Promise<MetricEvaluator> {
    const runtime = await loadRuntime(name)
    const session = await runtime.load(float)
    try {
      const answered = await withAnswers(dataset, session, () => {})
      const { accuracy, agreement } = await evaluate(session, answered)
      if (agreement === null) {
        throw new QuantizerError(
          'budget-unmeasurable',
          'an accuracy budget needs a model whose first output scores classes: leave it out, and judge by SQNR (fitment evaluate)',
        )
      }
      return new MetricEvaluator(runtime, answered, accuracy === null ? 'agreement' : 'accuracy')
    } finally {
      await session.close()
    }
  }

  /** Share of the samples that are lost; below 0 where more are right than in float. */
  async drop(file: Uint8Array): Promise<number> {
    const session = await this.#runtime.load(file)
    try {
      return dropOf(await evaluate(session, this.#dataset), this.metric)
    } finally {
      await session.close()
    }
  }
}

function dropOf(quality: QualityRecord, metric: Metric): number {
  if (metric === 'agreement') return 1 - (quality.agreement ?? 0)
  return (quality.referenceAccuracy ?? 1) - (quality.accuracy ?? 0)
}
