import type {
  AffineParameters,
  GraphOperator,
  OperatorId,
  Plan,
  TensorId,
} from '../../../graph/index.ts'
import { WEIGHT_CODE_MAX } from '../../../graph/index.ts'
import type { MomentBlock, SecondMoments } from '../../observers/statistics.ts'
import { codesInPairs, largestPair, PAIR_MOST } from '../../parameters/pairs.ts'
import { type WeightRows, weightRows } from '../../parameters/rows.ts'
import type { PlanRequest, Revision } from '../../plan/request.ts'
import { closestCodes, costOf, metricOf } from './second-order-rounding.ts'

/**
 * Weights on codes that keep the products near those of the float weights, instead of each number's nearest code.
 * Layer by layer, in closed form, from second moments of the layer's inputs.
 */
export function optimiseRounding(
  plan: Plan,
  request: PlanRequest,
  moments: readonly SecondMoments[],
): Map<OperatorId, Revision> {
  const seen = new Map(moments.map((one) => [one.operator, one]))
  const revisions = new Map(request.revisions)
  for (const { operator, tensor, parameters } of roundedWeights(plan, request)) {
    const found = seen.get(operator.id)
    const weight = found && rounded(operator, tensor, parameters, found, request)
    if (!weight) continue
    const before = revisions.get(operator.id)
    revisions.set(operator.id, { ...before, weight, weightParameters: parameters })
  }
  return revisions
}

export interface RoundedWeight {
  readonly operator: GraphOperator
  readonly tensor: TensorId
  readonly parameters: AffineParameters
}

/** What a plan rounds to codes of 8 bits for one product alone: products that share a weight would need a copy each. */
export function roundedWeights({ instructions }: Plan, { graph }: PlanRequest): RoundedWeight[] {
  return instructions.flatMap((instruction) => {
    if (instruction.verb !== 'store-constant' || instruction.form.type !== 'int8') return []
    const [use, ...others] = instruction.uses
    if (use?.kind !== 'input' || others.length > 0) return []
    const operator = graph.operators[use.operator]
    if (operator?.inputs[use.position]?.role !== 'weight') return []
    return [{ operator, tensor: instruction.tensor, parameters: instruction.form.parameters }]
  })
}

function rounded(
  operator: GraphOperator,
  tensor: number,
  parameters: AffineParameters,
  moments: SecondMoments,
  { graph, forms }: PlanRequest,
): Float32Array | null {
  const weight = graph.tensors[tensor]
  const values = weight?.constant?.read() ?? null
  const rows = weight === undefined ? null : weightRows(operator, weight)
  if (values === null || rows === null) return null
  const inPairs = codesInPairs(operator, graph, forms)
  const limit = WEIGHT_CODE_MAX[inPairs ? 8 : forms.weightBits]
  const result = new Float32Array(values.length)
  const groups = 1 + Math.max(...moments.blocks.map(({ group }) => group))
  for (const block of moments.blocks) {
    const part = { rows, parameters, limit, groups, vectors: moments.rows }
    roundBlock(block, part, values, result)
  }
  if (inPairs) keepPairs(result, values, rows, parameters)
  return result
}

/** Rows whose codes moved until two neighbours pass 16 bits go back to the nearest codes, which were scaled to fit. */
function keepPairs(
  result: Float32Array,
  values: Float32Array,
  rows: WeightRows,
  { scales, axis }: AffineParameters,
): void {
  for (let output = 0; output < rows.outputs; output += 1) {
    const scale = scales[axis === null ? 0 : output] as number
    if (largestPair(result, rows, output) / scale <= PAIR_MOST + 0.5) continue
    for (const offset of rows.offsets) {
      const at = rows.start(output) + offset
      result[at] = Math.round((values[at] as number) / scale) * scale
    }
  }
}

interface Part {
  readonly rows: WeightRows
  readonly parameters: AffineParameters
  readonly limit: number
  readonly groups: number
  readonly vectors: number
}

/** The inputs of one block, for every output channel of its group. */
function roundBlock(block: MomentBlock, part: Part, values: Float32Array, into: Float32Array) {
  const { rows, parameters, limit, groups } = part
  const metric = metricOf(block, part.vectors)
  const perGroup = rows.outputs / groups
  const weights = new Float64Array(block.size)
  for (let output = block.group * perGroup; output < (block.group + 1) * perGroup; output += 1) {
    const scale = parameters.scales[parameters.axis === null ? 0 : output] as number
    const place = (i: number) => rows.start(output) + (rows.offsets[block.start + i] as number)
    for (let i = 0; i < block.size; i += 1) weights[i] = (values[place(i)] as number) / scale
    const nearest = weights.map((weight) => Math.min(limit, Math.max(-limit, Math.round(weight))))
    const chosen = metric === null ? nearest : closestCodes(weights, metric, limit)
    const better =
      metric !== null && costOf(chosen, weights, metric) < costOf(nearest, weights, metric)
    const codes = better ? chosen : nearest
    for (let i = 0; i < block.size; i += 1) into[place(i)] = (codes[i] as number) * scale
  }
}
