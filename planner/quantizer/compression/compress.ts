import type { Finding } from '../../../shared/findings.ts'
import { BASE_SCHEMES, printScheme, type Scheme } from '../../../shared/schemes.ts'
import type { Graph, OperatorId } from '../../formats/graph.ts'
import { linksOf } from '../../formats/links.ts'
import type { QuantizableModel } from '../../formats/quantizable.ts'
import { QuantizerError } from '../errors.ts'
import { FLOAT32 } from '../parameters/forms.ts'
import { WEIGHT_CODE_MAX } from '../parameters/weight.ts'
import type { Instruction } from '../plan/instructions.ts'
import type { PlanTarget } from '../plan/request.ts'
import { type ChannelMeans, lostMeans } from '../recovery/bias-correction.ts'
import { cluster, type Storage } from './cluster.ts'
import { chooseLayers, type LayerChoice, type WeightLayer } from './layers.ts'
import { type CompressionOptions, FEWEST_CLUSTERS, MOST_CLUSTERS } from './options.ts'
import { prune } from './prune.ts'

/** A model whose weights were changed, and what they were. */
export interface Compressed {
  readonly bytes: Uint8Array
  readonly asked: CompressionOptions
  /** Of the source, which the changed model has no more. */
  readonly findings: readonly Finding[]
  readonly layers: readonly CompressedWeight[]
}

export interface CompressedWeight {
  /** The same in the changed model: operators keep their places. */
  readonly operator: OperatorId
  readonly position: number
  /** Before. */
  readonly values: Float32Array
  readonly spared: string | null
}

/**
 * Prunes and clusters weights as a pass before everything else, so that calibration sees the model that will run.
 * Where means of the source's activations are known, biases take back what the means of each layer lose.
 * @throws QuantizerError `unsupported-scheme` for options out of range, or clusters that the scheme would destroy
 */
export function compress(
  model: QuantizableModel,
  scheme: Scheme,
  target: PlanTarget,
  options: CompressionOptions,
  means: ChannelMeans,
): Compressed {
  refuseNonsense(options, scheme)
  const { graph } = model
  const choices = chooseLayers(graph, linksOf(graph), options)
  const instructions = choices
    .filter(({ spared }) => spared === null)
    .flatMap(({ layer }) => {
      const values = smaller(layer, scheme, target, options)
      return [storeAgain(layer, values), ...repairBiases(layer, values, graph, means)]
    })
  const bytes = model.perform({
    instructions,
    findings: [],
    operators: { total: graph.operators.length, integer: 0, float: graph.operators.length },
  })
  return { bytes, asked: options, findings: model.findings, layers: choices.map(rememberedAs) }
}

function smaller(
  layer: WeightLayer,
  scheme: Scheme,
  target: PlanTarget,
  options: CompressionOptions,
): Float32Array {
  const { values, tensor } = layer
  const pruned = options.prune === undefined ? values : prune(values, options.prune)
  if (options.cluster === undefined) return pruned
  const storage = storageOf(layer, scheme, target)
  const keepZeros = options.prune !== undefined
  return cluster(pruned, tensor.shape ?? [], options.cluster, storage, keepZeros)
}

/** How the planners will write the weight down. */
function storageOf({ operator, input }: WeightLayer, scheme: Scheme, target: PlanTarget): Storage {
  const { weights, activations } = BASE_SCHEMES[scheme.base]
  if (weights !== 'int8') return { axis: null, codeMax: null }
  const perChannel =
    operator.kind !== 'fully-connected' ||
    (activations === 'dynamic'
      ? target.perChannelHybridFullyConnected
      : target.perChannelFullyConnected)
  return {
    axis: perChannel ? input.channelAxis : null,
    codeMax: WEIGHT_CODE_MAX[target.weightBits],
  }
}

function storeAgain({ tensor, uses }: WeightLayer, values: Float32Array): Instruction {
  return { verb: 'store-constant', tensor: tensor.id, form: FLOAT32, uses, values }
}

function repairBiases(
  { uses, values: before }: WeightLayer,
  after: Float32Array,
  graph: Graph,
  means: ChannelMeans,
): Instruction[] {
  return uses.flatMap((use): Instruction[] => {
    const operator = use.kind === 'input' ? graph.operators[use.operator] : undefined
    const position = operator?.inputs.findIndex(({ role }) => role === 'bias') ?? -1
    const lost = operator && lostMeans(operator, before, after, graph, means)
    if (!operator || !lost || position < 0) return []
    const tensor = graph.tensors[operator.inputs[position]?.tensor ?? -1]
    if (tensor === undefined) {
      const values = Float32Array.from(lost)
      return [{ verb: 'add-bias', operator: operator.id, position, form: FLOAT32, values }]
    }
    const bias = tensor.constant?.read() ?? null
    if (tensor.type !== 'float32' || bias?.length !== lost.length) return []
    const values = bias.map((value, channel) => value + (lost[channel] as number))
    const uses = [{ kind: 'input', operator: operator.id, position } as const]
    return [{ verb: 'store-constant', tensor: tensor.id, form: FLOAT32, uses, values }]
  })
}

function rememberedAs({ layer, spared }: LayerChoice): CompressedWeight {
  const { operator, input, values } = layer
  return { operator: operator.id, position: operator.inputs.indexOf(input), values, spared }
}

function refuseNonsense(
  { prune: share, cluster: count }: CompressionOptions,
  scheme: Scheme,
): void {
  if (share !== undefined && !(share > 0 && share < 1)) {
    throw refusal(`cannot prune a share of ${share}: give one between 0 and 1, for example 0.5`)
  }
  if (count === undefined) return
  if (!Number.isInteger(count) || count < FEWEST_CLUSTERS || count > MOST_CLUSTERS) {
    throw refusal(
      `cannot cluster weights into ${count} values: give ${FEWEST_CLUSTERS} to ${MOST_CLUSTERS}, for example 16`,
    )
  }
  if (BASE_SCHEMES[scheme.base].weights === 'int4') {
    throw refusal(
      `${printScheme(scheme)} stores weights in 16 codes per block already, which clusters do not survive: use one of both`,
    )
  }
}

function refusal(message: string): QuantizerError {
  return new QuantizerError('unsupported-scheme', message)
}
