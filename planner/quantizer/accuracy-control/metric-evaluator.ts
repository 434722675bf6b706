import { type Dataset, pickSamples } from '../../../shared/dataset/index.ts'
import { evaluateMetric, withAnswers } from '../../../shared/measure/index.ts'
import { builtInMetric, classesOf, lossOf, type Metric } from '../../../shared/metrics/index.ts'
import {
  loadRuntime,
  type Runtime,
  type RuntimeName,
  type Session,
} from '../../../shared/runtime/index.ts'
import { QuantizerError } from '../errors.ts'
import { heldOut, holdsOut } from '../observers/held-out.ts'

/** What a file reaches, and loses against the float model, in hundredths of points. */
export interface Reached {
  readonly value: number
  readonly drop: number
}

/** Asks files for answers in their real runtime, and judges them by one metric. */
export class MetricEvaluator {
  readonly metric: Metric
  readonly samples: number
  readonly #runtime: Runtime
  readonly #dataset: Dataset
  #float: number | null = null

  private constructor(runtime: Runtime, dataset: Dataset, metric: Metric) {
    this.#runtime = runtime
    this.#dataset = dataset
    this.metric = metric
    this.samples = dataset.samples
  }

  /**
   * Lets the float model answer.
   * @throws QuantizerError `budget-unmeasurable` where nobody chose a metric and its answers are no classes
   */
  static async start(
    name: RuntimeName,
    float: Uint8Array,
    dataset: Dataset,
    asked: Metric | undefined,
  ): Promise<MetricEvaluator> {
    const runtime = await loadRuntime(name)
    const session = await runtime.load(float)
    try {
      const metric = asked ?? usualMetric(session, dataset)
      return new MetricEvaluator(runtime, await withAnswers(dataset, session, () => {}), metric)
    } finally {
      await session.close()
    }
  }

  /** What the float model reaches; known with the first file. */
  get float(): number {
    return this.#float ?? Number.NaN
  }

  /** @throws MetricError, RuntimeError */
  async reached(file: Uint8Array): Promise<Reached> {
    const { metric } = this
    const session = await this.#runtime.load(file)
    try {
      const ofReference = this.#float === null
      const score = await evaluateMetric(session, this.#dataset, metric, { ofReference })
      this.#float ??= score.reference
      const value = score.value ?? Number.NaN
      return { value, drop: lossOf(metric, this.float, value) }
    } finally {
      await session.close()
    }
  }
}

/** Of calibration samples those that no method learns from. */
export function judgedSamples(calibration: Dataset): Dataset {
  if (!holdsOut(calibration.samples)) return calibration
  return pickSamples(calibration, heldOut(calibration.samples, calibration.samples))
}

/** What the first output tells where nobody says what to judge by. */
function usualMetric({ outputs }: Session, { labels }: Dataset): Metric {
  const shape = outputs[0]?.shape.map((dim) => Math.max(1, dim)) ?? []
  if (classesOf(shape) !== undefined) {
    return builtInMetric(labels === undefined ? 'agreement' : 'top-1')
  }
  throw new QuantizerError(
    'budget-unmeasurable',
    'an accuracy budget needs a metric, as the first output scores no classes: add e.g. --metric map,layout=yolox with labels, or --metric cosine without',
  )
}
