import { type Dataset, samplesFor } from '../../../shared/dataset/index.ts'
import { sqnrDb } from '../../../shared/measure/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { Graph, Plan, QuantizableModel, TensorId } from '../../graph/index.ts'
import { linksOf, NO_CHANGE } from '../../graph/index.ts'
import type { InferencePool } from '../inference-pool/inference-pool.ts'
import type { Answer } from '../inference-pool/messages.ts'
import { heldOut } from '../observers/held-out.ts'
import type { PlanRequest } from '../plan/request.ts'
import { planWeights } from '../plan/weights.ts'
import type { Candidate, Services } from './candidate.ts'
import { planFor, show } from './shown.ts'

/** Samples whose outputs are compared: with 16, methods were kept and dropped by chance. */
const SAMPLES = 48

/** Numbers of the outputs that are kept; models that give out images are compared on fewer samples, two at least. */
const MOST_NUMBERS = 2 ** 23

interface Measured {
  readonly of: QuantizableModel
  /** The same, ending where it is measured. */
  readonly shown: QuantizableModel
  /** What it answers in float. */
  readonly expected: readonly Answer[]
}

interface Reached {
  readonly db: number
  readonly withoutShiftDb: number
}

/**
 * Tells how near a planned model's outputs come to the float model's, in the real runtime, on calibration samples.
 * A softmax or logistic at the end would hide most differences: what it reads counts in its place.
 */
export class SqnrEvaluator {
  readonly #pool: InferencePool
  readonly #dataset: Dataset
  readonly #services: Pick<Services, 'plan' | 'open'>
  /** The model last asked about. */
  #measured: Measured | null = null
  /** Of what was asked before: plans are pure, and so is what they answer. */
  readonly #reached = new WeakMap<PlanRequest, Promise<Reached>>()

  constructor(pool: InferencePool, dataset: Dataset, services: Pick<Services, 'plan' | 'open'>) {
    this.#pool = pool
    this.#dataset = dataset
    this.#services = services
  }

  /**
   * Signal to noise of all ends, each counting alike.
   * @throws RuntimeError where the model does not run
   */
  async sqnrDb(candidate: Candidate): Promise<number> {
    const { request } = candidate
    const known = this.#reached.get(request)
    if (known !== undefined) return (await known).db
    const found = this.#levelOf(candidate, (shown) => planFor(shown, request, this.#services))
    this.#reached.set(request, found)
    return (await found).db
  }

  /** The same, of narrow weights with float activations: what is left where only they are rounded. */
  async weightsOnlyDb(candidate: Candidate): Promise<number> {
    const { db } = await this.#levelOf(candidate, ({ graph }) =>
      planWeights({ ...candidate.request, graph, links: linksOf(graph), measured: true }),
    )
    return db
  }

  /** Signal to what is left of the noise without the part that all samples share: all that other biases could take back. */
  async withoutShiftDb(candidate: Candidate): Promise<number> {
    await this.sqnrDb(candidate)
    return (await this.#reached.get(candidate.request))?.withoutShiftDb ?? Number.NaN
  }

  async #levelOf(
    { model }: Candidate,
    planOf: (shown: QuantizableModel) => Plan,
  ): Promise<Reached> {
    const { shown, expected } = await this.#measure(model)
    const plan = planOf(shown)
    const found = await this.#answers(model, shown.perform(plan), shown)
    const ends = expected[0]?.map((_, end) => end) ?? []
    const shares = ends.map((end) => noiseShare(expected, found, end))
    const mean = (share: (end: number) => number) =>
      ends.reduce((sum, end) => sum + share(end), 0) / ends.length
    const moving = (end: number) => (shares[end] as number) * (1 - shiftShare(expected, found, end))
    return {
      db: sqnrDb(
        1,
        mean((end) => shares[end] as number),
      ),
      withoutShiftDb: sqnrDb(1, mean(moving)),
    }
  }

  async #measure(model: QuantizableModel): Promise<Measured> {
    if (this.#measured?.of === model) return this.#measured
    const shown = await this.#shown(model)
    const expected = await this.#answers(model, shown.perform(NO_CHANGE), shown)
    this.#measured = { of: model, shown, expected }
    return this.#measured
  }

  async #shown(model: QuantizableModel): Promise<QuantizableModel> {
    const [entry] = model.entries
    const ends = entry === undefined ? [] : endsOf(model.graph, entry.subgraph)
    return (await show(model, ends, this.#services))?.model ?? model
  }

  async #answers(
    model: QuantizableModel,
    bytes: Uint8Array,
    shown: QuantizableModel,
  ): Promise<readonly Answer[]> {
    const loaded = await this.#pool.load(bytes)
    // Data files go by names of the signature, which the shown model has lost.
    const infos = shown === model ? loaded : (model.entries[0]?.inputs ?? loaded)
    const samples = samplesFor(this.#dataset, infos)
    const wanted = Math.floor(MOST_NUMBERS / numbersOf(shown.graph))
    const most = Math.min(SAMPLES, Math.max(2, wanted))
    const chosen = heldOut(samples.count, most).map((sample) => {
      const inputs = samples.at(sample)
      return infos.map(({ name }) => inputs[name] as Tensor)
    })
    return await this.#pool.answer(chosen)
  }
}

const SATURATING: ReadonlySet<string> = new Set(['softmax', 'log-softmax', 'logistic'])

/** Computed float tensors that tell most about the outputs of a subgraph. */
function endsOf(graph: Graph, subgraph: number): TensorId[] {
  const { producers } = linksOf(graph)
  const ends = (graph.subgraphs[subgraph]?.outputs ?? []).map((output) => {
    const maker = graph.operators[producers[output] ?? -1]
    const source = maker?.inputs[0]?.tensor ?? null
    return maker && SATURATING.has(maker.kind) && source !== null ? source : output
  })
  const told = ends.filter(
    (end) => graph.tensors[end]?.type === 'float32' && (producers[end] ?? null) !== null,
  )
  return [...new Set(told)]
}

/** Of all outputs, for one sample. */
function numbersOf({ subgraphs, tensors }: Graph): number {
  return (subgraphs[0]?.outputs ?? []).reduce((sum, output) => {
    const shape = tensors[output]?.shape ?? []
    return sum + shape.reduce((count, dim) => count * Math.max(1, dim), 1)
  }, 1)
}

/**
 * Noise by signal, with the samples' noise averaged as amplitudes: sums of squares are the noise of the one or two
 * worst samples, and whether a method helps those is chance.
 */
function noiseShare(expected: readonly Answer[], found: readonly Answer[], end: number): number {
  const samples = expected.map((answer, sample) => {
    let [signal, noise] = [0, 0]
    answer[end]?.forEach((value, i) => {
      if (!Number.isFinite(value)) return
      const error = value - (found[sample]?.[end]?.[i] ?? 0)
      signal += value * value
      noise += Number.isFinite(error) ? error * error : value * value
    })
    return { signal, noise }
  })
  const signal = samples.reduce((sum, one) => sum + one.signal, 0) / samples.length || 1
  const amplitude = samples.reduce((sum, { noise }) => sum + Math.sqrt(noise), 0) / samples.length
  return amplitude ** 2 / signal
}

/**
 * How much of an end's noise is the same in all samples. Chance alone makes means of a few samples, which is taken off:
 * E|mean|² = shift² + rest / samples.
 */
function shiftShare(expected: readonly Answer[], found: readonly Answer[], end: number): number {
  const samples = expected.length
  const sums = new Float64Array(expected[0]?.[end]?.length ?? 0)
  let noise = 0
  expected.forEach((answer, sample) => {
    answer[end]?.forEach((value, i) => {
      const error = value - (found[sample]?.[end]?.[i] ?? Number.NaN)
      if (!Number.isFinite(error)) return
      sums[i] = (sums[i] ?? 0) + error
      noise += error * error
    })
  })
  if (samples < 2 || noise === 0) return samples < 2 ? 1 : 0
  const together = sums.reduce((sum, value) => sum + value * value, 0) / noise
  return Math.min(1, Math.max(0, (together - 1) / (samples - 1)))
}
