import { type Dataset, realValues, rowOf } from '../dataset/index.ts'
import {
  type Answer,
  dequantized,
  type Meter,
  type Metric,
  MetricError,
  type RealArray,
  type Score,
} from '../metrics/index.ts'
import type { Session } from '../runtime/index.ts'
import type { Tensor } from '../tensors.ts'
import type { MetricScore } from './quality-record.ts'

type Reference = Answer['reference']

/** One metric of a model, and of the float one on the same samples where its answers are known. */
export class MetricTally {
  readonly #metric: Metric
  readonly #session: Session
  readonly #dataset: Dataset
  readonly #own: Meter
  readonly #other: Meter | null
  #compared = false

  /** @param ofReference whether the float model's answers are judged too */
  constructor(metric: Metric, session: Session, dataset: Dataset, ofReference = true) {
    const { inputs } = session
    this.#metric = metric
    this.#session = session
    this.#dataset = dataset
    this.#own = metric.start({ inputs })
    this.#other = ofReference ? metric.start({ inputs }) : null
  }

  /** @throws MetricError */
  async add(
    sample: number,
    outputs: Readonly<Record<string, Tensor>>,
    reference: Reference,
  ): Promise<void> {
    const truth = truthOf(this.#dataset, sample)
    const named = this.#session.outputs.map((info) => {
      const tensor = outputs[info.name] as Tensor
      return { name: info.name, shape: tensor.shape, values: dequantized(info, tensor) }
    })
    await this.#own.add({ outputs: named, truth, reference })
    if (this.#other === null) return
    const known = named.flatMap((one) => {
      const values = reference?.get(one.name)
      return values?.length === one.values.length ? [{ ...one, values }] : []
    })
    if (known.length < named.length) return
    this.#compared = true
    await this.#other.add({ outputs: known, truth, reference })
  }

  /** @throws MetricError, but for what this data does not let measure */
  async score(): Promise<MetricScore> {
    const { text, direction, unit } = this.#metric
    const { value, parts } = await this.#own.score()
    if (Number.isNaN(value)) {
      throw new MetricError(
        'unmeasurable',
        `metric ${text} is not a number here: the model answers NaN, or there is nothing to judge`,
      )
    }
    const other = this.#compared ? ((await this.#other?.score()) ?? null) : null
    return {
      text,
      direction,
      unit,
      value: finite(value),
      reference: other === null ? null : finite(other.value),
      ...(parts && { parts: finiteParts(parts) }),
    }
  }

  async close(): Promise<void> {
    await this.#own.close?.()
    await this.#other?.close?.()
  }
}

/** Beyond all numbers is as bad as can be, and JSON has no word for it. */
function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value))
}

function finiteParts(parts: NonNullable<Score['parts']>): Record<string, number> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => Number.isFinite(value)))
}

function truthOf(dataset: Dataset, sample: number): ReadonlyMap<string, RealArray> {
  const rows = [...dataset.truth].map(([name, array]): [string, RealArray] => {
    const { type, shape, data } = rowOf(array, sample)
    return [name, { shape, values: realValues(type, data) }]
  })
  const label = dataset.labels?.[sample]
  // Classes that somebody wrote beside the data, e.g. the float model's answers.
  const classes: [string, RealArray][] =
    label === undefined ? [] : [['', { shape: [], values: [label] }]]
  return new Map([...classes, ...rows])
}
