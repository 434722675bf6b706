import type { Graph, GraphInput, GraphOperator, GraphTensor, Use } from '../../graph/index.ts'
import { type Links, usesOf } from '../../graph/index.ts'
import { selects } from '../plan/selectors.ts'
import { type CompressionOptions, MINIMUM_ELEMENTS, SPARINGS, type Sparing } from './options.ts'

/** A weight, with all operators that read it. */
export interface WeightLayer {
  /** The first of its readers. */
  readonly operator: GraphOperator
  readonly input: GraphInput
  readonly tensor: GraphTensor
  readonly uses: readonly Use[]
  readonly values: Float32Array
}

export interface LayerChoice {
  readonly layer: WeightLayer
  /** Why it stays as it is; null where it is compressed. */
  readonly spared: string | null
}

/** Every float weight of the model, once, in order of execution, and whether it is to be compressed. */
export function chooseLayers(
  graph: Graph,
  links: Links,
  options: CompressionOptions,
): LayerChoice[] {
  const layers = weightLayers(graph, links)
  const firsts = firstOfEach(layers)
  return layers.map((layer) => ({ layer, spared: whySpared(layer, graph, firsts, options) }))
}

function weightLayers(graph: Graph, links: Links): WeightLayer[] {
  const seen = new Set<number>()
  return graph.operators.flatMap((operator) =>
    operator.inputs.flatMap((input) => {
      const tensor = input.tensor === null ? undefined : graph.tensors[input.tensor]
      if (input.role !== 'weight' || tensor === undefined || seen.has(tensor.id)) return []
      const values = tensor.type === 'float32' ? (tensor.constant?.read() ?? null) : null
      if (values === null) return []
      seen.add(tensor.id)
      return [{ operator, input, tensor, uses: usesOf(links, tensor.id), values }]
    }),
  )
}

/** One of every subgraph. */
function firstOfEach(layers: readonly WeightLayer[]): ReadonlySet<WeightLayer> {
  const bySubgraph = new Map<number, WeightLayer>()
  for (const layer of layers) {
    const home = layer.operator.subgraph
    if (!bySubgraph.has(home)) bySubgraph.set(home, layer)
  }
  return new Set(bySubgraph.values())
}

function whySpared(
  layer: WeightLayer,
  graph: Graph,
  firsts: ReadonlySet<WeightLayer>,
  { keep = [], also = [], minimumElements = MINIMUM_ELEMENTS }: CompressionOptions,
): string | null {
  if (keep.some((selector) => selects(selector, layer.operator))) return 'as you asked'
  if (!layer.values.every(Number.isFinite)) return 'it holds NaN or infinite numbers'
  if (!layer.uses.every((use) => readsAsWeight(use, graph))) {
    return 'its weight is also used as something else'
  }
  const applies: Record<Sparing, boolean> = {
    first: firsts.has(layer),
    depthwise: layer.operator.kind === 'depthwise-conv',
    small: layer.values.length < minimumElements,
  }
  const names = Object.keys(SPARINGS) as Sparing[]
  const sparing = names.find((name) => applies[name] && !also.includes(name))
  return sparing === undefined ? null : SPARINGS[sparing]
}

function readsAsWeight(use: Use, graph: Graph): boolean {
  if (use.kind === 'output') return false
  return graph.operators[use.operator]?.inputs[use.position]?.role === 'weight'
}
