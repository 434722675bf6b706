import type { Finding } from '../../../shared/findings.ts'
import type { Graph, Instruction, OperatorId, Plan, QuantizableModel } from '../../graph/index.ts'
import { FLOAT32, linksOf, WEIGHT_CODE_MAX, type WeightBits } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
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
 * `plan` is what the source alone would become: it says how each weight will be written.
 * Where means of the source's activations are known, biases take back what the means of each layer lose.
 * @throws QuantizerError `unsupported-scheme` for options out of range, or clusters that blocks would destroy
 */
export function compress(
  model: QuantizableModel,
  plan: Plan,
  weightBits: WeightBits,
  options: CompressionOptions,
  means: ChannelMeans,
): Compressed {
  refuseNonsense(options)
  refuseBlocks(options, plan)
  const { graph } = model
  const choices = chooseLayers(graph, linksOf(graph), options)
  const instructions = choices
    .filter(({ spared }) => spared === null)
    .flatMap(({ layer }) => {
      const values = smaller(layer, storageIn(plan, layer, weightBits), options)
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
  { values, tensor }: WeightLayer,
  storage: Storage,
  options: CompressionOptions,
): Float32Array {
  const pruned = options.prune === undefined ? values : prune(values, options.prune)
  if (options.cluster === undefined) return pruned
  return cluster(pruned, tensor.shape ?? [], options.cluster, storage, options.prune !== undefined)
}

function storageIn(plan: Plan, { tensor }: WeightLayer, weightBits: WeightBits): Storage {
  const store = plan.instructions.find(
    (instruction) => instruction.verb === 'store-constant' && instruction.tensor === tensor.id,
  )
  const form = store?.verb === 'store-constant' ? store.form : FLOAT32
  return 'parameters' in form
    ? { axis: form.parameters.axis, codeMax: WEIGHT_CODE_MAX[weightBits] }
    : { axis: null, codeMax: null }
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

function refuseNonsense({ prune: share, cluster: count }: CompressionOptions): void {
  if (share !== undefined && !(share > 0 && share < 1)) {
    throw refusal(`cannot prune a share of ${share}: give one between 0 and 1, for example 0.5`)
  }
  const sensible = count === undefined || (count >= FEWEST_CLUSTERS && count <= MOST_CLUSTERS)
  if (!sensible || !Number.isInteger(count ?? 0)) {
    throw refusal(
      `cannot cluster weights into ${count} values: give ${FEWEST_CLUSTERS} to ${MOST_CLUSTERS}, for example 16`,
    )
  }
}

/** Blocks have 16 codes each, and a scale of their own: clusters of a layer would be lost in them. */
function refuseBlocks({ cluster: count }: CompressionOptions, { instructions }: Plan): void {
  const blocks = instructions.some((one) => one.verb === 'compute' && one.as === 'blocks')
  if (count === undefined || !blocks) return
  throw refusal(
    'weights in blocks have 16 values each already: leave out the clustering, or choose another scheme',
  )
}

function refusal(message: string): QuantizerError {
  return new QuantizerError('unsupported-scheme', message)
}
