import type { TensorId } from '../../graph/index.ts'
import { NO_CHANGE } from '../../graph/index.ts'
import type { PlanRequest, Revision } from '../plan/request.ts'
import {
  biasOf,
  type ChannelMeans,
  lostMeans,
  type StoredWeight,
  storedWeights,
} from './bias-correction.ts'
import { type Candidate, revised, type Services } from './candidate.ts'
import { planFor, show } from './shown.ts'

/**
 * Biases that take back how far the mean of each input channel has moved once everything before it computes on
 * integers: by rounding noise that a ReLU cuts on one side, and by what was clipped. One product after the other, or in
 * deep models a few at a time, measured behind those that are corrected already. (Nagel et al., "Data-Free
 * Quantization Through Weight Equalization and Bias Correction", 2019, appendix D.) Null where there is nothing to
 * correct.
 */
export async function correctSequentially(
  candidate: Candidate,
  services: Services,
): Promise<Candidate | null> {
  const { model } = candidate
  const products = storedWeights(candidate.plan, candidate.request)
    .flatMap((stored) => sourceOf(stored, candidate) ?? [])
    .sort((a, b) => a.operator.id - b.operator.id)
  const [entry] = model.entries
  // With its own outputs shown too, the copy keeps all operators in their places.
  const ends = model.graph.subgraphs[entry?.subgraph ?? -1]?.outputs ?? []
  const sources = products.map(({ source }) => source)
  const shown = products.length === 0 ? null : await show(model, [...sources, ...ends], services)
  if (shown === null) return null
  const meansIn = (bytes: Uint8Array, wanted?: ReadonlySet<TensorId>) =>
    services.channelMeans(model, { ...shown, bytes }, wanted)
  const expected = await meansIn(shown.model.perform(NO_CHANGE))
  let { request } = candidate
  const size = services.thorough ? 1 : atOnce(products.length)
  for (let start = 0; start < products.length; start += size) {
    const next = products.slice(start, start + size)
    const found = await meansIn(
      shown.model.perform(planFor(shown.model, request, services)),
      new Set(next.map(({ source }) => source)),
    )
    const before = request
    const more = next.flatMap((product) => {
      const revision = corrected(product, moved(product.source, expected, found), before)
      return revision === null ? [] : [[product.operator.id, revision] as const]
    })
    if (more.length > 0) request = { ...before, revisions: new Map([...before.revisions, ...more]) }
  }
  return request === candidate.request ? null : revised(candidate, request.revisions, services)
}

/** Products that are run over all rounds, unasked: each round loads and runs all of them once more. With a quarter of it a conformer lost 0.5 dB. */
const MOST_RUN = 2 ** 9

/** Products that are corrected behind the same measurement. */
export function atOnce(products: number): number {
  const rounds = Math.max(1, Math.floor(MOST_RUN / products))
  return Math.ceil(products / rounds)
}

interface Product extends StoredWeight {
  readonly source: TensorId
}

/** Null where the model's caller gives what it reads, and nothing comes before it, or where no bias can be told. */
function sourceOf(stored: StoredWeight, { model, request }: Candidate): Product | null {
  const source = stored.operator.inputs.find(({ role }) => role === 'activation')?.tensor ?? null
  const [entry] = model.entries
  const within = stored.operator.subgraph === entry?.subgraph
  const computed = source !== null && request.links.producers[source] !== null
  return within && computed ? { ...stored, source } : null
}

/** E[x] − E[x̂] of each channel. */
function moved(source: TensorId, expected: ChannelMeans, found: ChannelMeans): ChannelMeans {
  const [before, after] = [expected.get(source), found.get(source)]
  if (before === undefined || after === undefined) return new Map()
  return new Map([[source, before.map((mean, i) => mean - (after[i] as number))]])
}

function corrected(
  { operator, form }: Product,
  means: ChannelMeans,
  request: PlanRequest,
): Revision | null {
  const { graph, revisions } = request
  const position = operator.inputs.findIndex(({ role }) => role === 'weight')
  const revision = revisions.get(operator.id)
  const weight = graph.tensors[operator.inputs[position]?.tensor ?? -1]
  const values = revision?.weight ?? weight?.constant?.read() ?? null
  if (values === null || form.type === 'float32') return null
  const lost = lostMeans(operator, values, new Float32Array(values.length), graph, means)
  if (lost === null || !lost.every(Number.isFinite)) return null
  const bias = revision?.bias ?? biasOf(operator, request, lost.length)
  return { ...revision, bias: bias.map((value, i) => value + (lost[i] as number)) }
}
