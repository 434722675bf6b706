import type { Dataset } from '../../shared/dataset/index.ts'
import { invariant } from '../../shared/errors.ts'
import type { Metric } from '../../shared/metrics/index.ts'
import type { TensorId } from '../graph/index.ts'
import {
  type Comparison,
  type LayerComparison,
  type ModelFacts,
  type QuantizedComparison,
  type Scatter,
  worstFirst,
} from './comparison.ts'
import { ComparisonError } from './errors.ts'
import { comparisonFindings, isRecognised, sourceFindings } from './findings.ts'
import { computationOf, operatorRows, totalOf } from './inside/computation.ts'
import { storageOf } from './inside/storage.ts'
import { compareWeights } from './inside/weights.ts'
import { computingOperators } from './match/activations.ts'
import { type Match, matchModels } from './match/match.ts'
import { measurePairs } from './measure/latency.ts'
import { scoreOf } from './measure/metric.ts'
import { type MeasuredTap, runPair } from './measure/run-pair.ts'
import { readingOf, representableBy } from './measure/taps.ts'
import { type ComparedFile, type OpenedModel, openModels } from './opened-model.ts'

export interface CompareRequest {
  readonly float: ComparedFile
  readonly quantized: readonly ComparedFile[]
  readonly dataset: Dataset
  /** Judged beside the usual figures. */
  readonly metric?: Metric
  /** Time to measure the latency of each quantized model; 0 for none. */
  readonly latencyMs: number
  readonly onProgress?: (done: number, total: number, what: string) => void
}

/** Worst layers that get a scatter plot, beside the outputs. */
const PLOTTED = 3

/**
 * Looks into quantized models beside the float one they came from: every activation and weight, in the real
 * runtime over real data.
 * @throws ComparisonError, DatasetError, RuntimeError, MetricError
 */
export async function compareModels(request: CompareRequest): Promise<Comparison> {
  const [float, ...others] = await openModels([request.float, ...request.quantized])
  invariant(float !== undefined, 'the list holds the float model')
  const compared: QuantizedComparison[] = []
  for (const quantized of others) compared.push(await compareOne(float, quantized, request))
  return {
    float: factsOf(float),
    samples: request.dataset.samples,
    quantized: await withLatency(compared, request),
    findings: sourceFindings(float),
  }
}

async function compareOne(
  float: OpenedModel,
  quantized: OpenedModel,
  { dataset, metric, onProgress }: CompareRequest,
): Promise<QuantizedComparison> {
  const match = matchModels(float, quantized)
  refuseStranger(float, quantized, match)
  // First: labels that do not fit are told before minutes of looking into layers.
  const score =
    metric &&
    (await scoreOf(metric, float, quantized, dataset, (done, total) =>
      onProgress?.(done, total, `judging ${quantized.file}`),
    ))
  const { taps, quality } = await runPair(float, quantized, match, dataset, (done, total) =>
    onProgress?.(done, total, `comparing ${quantized.file}`),
  )
  const facts = factsOf(quantized)
  const orders = ordersOf(float)
  const layers = taps.map((tap) =>
    layerOf(tap, orders.get(tap.float.id) ?? 0, float, quantized, match),
  )
  const weights = compareWeights(float, quantized, match)
  const unmatched = match.unmatched.map((id) => float.graph.tensors[id]?.name ?? '')
  return {
    ...facts,
    layers,
    weights,
    quality: { ...quality, ...(score && { metric: score }) },
    latency: null,
    unmatched,
    scatters: scattersOf(taps, layers),
    findings: comparisonFindings(float.file, facts, layers, weights, unmatched),
  }
}

function refuseStranger(float: OpenedModel, quantized: OpenedModel, match: Match): void {
  const operators = computingOperators(float.graph, float.entry.subgraph).length
  const matched = match.operators.size
  if (isRecognised(matched, operators - matched)) return
  throw new ComparisonError(
    'models-differ',
    `${quantized.file} was not made from ${float.file}: only ${matched} of ${operators} operators have a counterpart by name or place; give the float model it came from`,
    { unmatched: match.unmatched.map((id) => float.graph.tensors[id]?.name) },
  )
}

function factsOf({ file, bytes, graph }: OpenedModel): ModelFacts {
  const operators = operatorRows(graph)
  return {
    file,
    bytes: bytes.length,
    storage: storageOf(graph, bytes.length),
    operators,
    computing: totalOf(operators),
  }
}

function layerOf(
  tap: MeasuredTap,
  order: number,
  float: OpenedModel,
  quantized: OpenedModel,
  match: Match,
): LayerComparison {
  const producer = float.graph.operators[float.links.producers[tap.float.id] ?? -1]
  const maker = quantized.graph.operators[quantized.links.producers[tap.quantized.id] ?? -1]
  const { lowest, highest } = representableBy(tap.quantized)
  const reading = tap.quantized.type === 'float32' ? null : readingOf(tap.quantized)
  return {
    order,
    name: tap.float.name,
    quantizedName: tap.quantized.name,
    operator: producer?.nativeKind ?? 'input',
    computes: maker === undefined ? 'other' : computationOf(quantized.graph, maker),
    type: tap.quantized.type,
    scale: reading?.scale ?? null,
    zeroPoint: reading?.zeroPoint ?? null,
    holds: reading === null ? null : [lowest, highest],
    output: match.outputs.has(tap.float.id),
    ...tap.summary,
  }
}

/** Inputs, then every activation as it is computed: the same place in every comparison with this model. */
function ordersOf({ graph, entry }: OpenedModel): Map<TensorId, number> {
  const computed = computingOperators(graph, entry.subgraph).flatMap(({ outputs }) => outputs)
  return new Map([...entry.tensors, ...computed].map((tensor, order) => [tensor, order]))
}

function scattersOf(taps: readonly MeasuredTap[], layers: readonly LayerComparison[]): Scatter[] {
  const outputs = layers.filter((layer) => layer.output)
  const worst = worstFirst(layers.filter((layer) => !layer.output)).slice(0, PLOTTED)
  return [...outputs.slice(0, PLOTTED), ...worst].flatMap((layer) => {
    const tap = taps[layers.indexOf(layer)]
    return tap === undefined ? [] : [{ layer: layer.name, points: tap.points }]
  })
}

/** After everything else: these runs share the process with nothing but the clock. */
async function withLatency(
  compared: readonly QuantizedComparison[],
  { float, quantized, dataset, latencyMs, onProgress }: CompareRequest,
): Promise<QuantizedComparison[]> {
  if (latencyMs === 0) return [...compared]
  const latencies = await measurePairs(float, quantized, dataset, latencyMs, (done) =>
    onProgress?.(done, quantized.length, 'measuring latency'),
  )
  return compared.map((one, i) => ({ ...one, latency: latencies[i] ?? null }))
}
