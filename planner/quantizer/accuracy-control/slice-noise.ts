import { type Dataset, samplesFor } from '../../../shared/dataset/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { type Links, linksOf, NO_CHANGE, type QuantizableModel } from '../../graph/index.ts'
import type { InferencePool } from '../inference-pool/inference-pool.ts'
import type { Answer, SampleInputs } from '../inference-pool/messages.ts'
import { answeredOutput } from '../levels/answered.ts'
import { judge } from '../levels/judge.ts'
import { heldOut } from '../observers/held-out.ts'
import type { Candidate, Services } from '../recovery/candidate.ts'

/** Noise of an operator shows on a handful of samples: what it is compared with differs by much more. */
const SAMPLES = 4

interface Expected {
  readonly model: QuantizableModel
  readonly links: Links
  readonly outputs: readonly TensorInfo[]
  readonly samples: readonly SampleInputs[]
  readonly answers: readonly Answer[]
}

/** How much of the outputs is lost in noise, slice by slice: scores beside large boxes count as much as these. */
export class SliceNoise {
  readonly #pool: InferencePool
  readonly #dataset: Dataset
  readonly #services: Pick<Services, 'plan'>
  #expected: Expected | undefined

  constructor(pool: InferencePool, dataset: Dataset, services: Pick<Services, 'plan'>) {
    this.#pool = pool
    this.#dataset = dataset
    this.#services = services
  }

  /** Noise over signal, the mean of all slices of all outputs. @throws RuntimeError */
  async of(candidate: Candidate): Promise<number> {
    const { model, links, outputs, samples, answers } = await this.#float(candidate.model)
    // Codes at the ends would have to be told apart from numbers.
    const plan = this.#services.plan({ ...candidate.request, measured: true })
    await this.#pool.open(candidate.model.perform(plan))
    const found = await this.#pool.answer(samples)
    const shares = outputs.flatMap((info, at) => {
      if (info.type !== 'float32') return []
      const level = judge(answeredOutput(info, at, model, links, answers, found))
      const slices = level.slices.length > 0 ? level.slices : [level]
      return slices.map(({ sqnrDb }) => 10 ** (-sqnrDb / 10))
    })
    return shares.length === 0 ? 0 : shares.reduce((a, b) => a + b, 0) / shares.length
  }

  async #float(model: QuantizableModel): Promise<Expected> {
    if (this.#expected?.model === model) return this.#expected
    const { inputs, outputs } = await this.#pool.open(model.perform(NO_CHANGE))
    const all = samplesFor(this.#dataset, inputs)
    const samples = heldOut(all.count, SAMPLES).map((sample) => {
      const named = all.at(sample)
      return inputs.map(({ name }) => named[name] as Tensor)
    })
    const answers = await this.#pool.answer(samples)
    this.#expected = { model, links: linksOf(model.graph), outputs, samples, answers }
    return this.#expected
  }
}
