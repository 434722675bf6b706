import type { Finding } from '../../../shared/findings.ts'
import type { Graph, GraphOperator } from '../../formats/graph.ts'
import type { TensorStatistics } from '../calibrate/statistics.ts'
import { slicesOf } from '../parameters/channels.ts'
import { codesOf } from '../parameters/encode.ts'
import type { InstructionArguments, Plan } from './instructions.ts'

/** VPMADDUBSW adds two products of neighbouring input channels in 16 bits, and saturates (Intel SDM). */
const MOST = 2 ** 15 - 1
const LARGEST_CODE = 255

type Stored = InstructionArguments['store-constant']

/**
 * Layers whose sums could saturate on x86 without VNNI, from the weights and the largest codes that calibration saw in
 * each input channel: there the same file answers otherwise than elsewhere.
 */
export function saturationFindings(
  plan: Plan,
  graph: Graph,
  statistics: readonly TensorStatistics[],
): Finding[] {
  const seen = new Map(statistics.map((one) => [one.tensor, one]))
  const risky = plan.instructions.flatMap((one) => {
    if (one.verb !== 'store-constant' || one.form.type !== 'int8') return []
    const [use] = one.uses
    const operator = use?.kind === 'input' ? graph.operators[use.operator] : undefined
    const isWeight = use?.kind === 'input' && operator?.inputs[use.position]?.role === 'weight'
    if (operator === undefined || !isWeight) return []
    const share = saturatingShare(operator, one, graph, seen)
    return share > 0 ? [{ name: operator.name, share }] : []
  })
  if (risky.length === 0) return []
  const worst = [...risky].sort((a, b) => b.share - a.share).slice(0, 3)
  const names = worst.map(({ name, share }) => `"${name}" ${(100 * share).toFixed(1)} %`)
  return [
    {
      code: 'int16-saturation',
      severity: 'info',
      message: `on x86 without VNNI, sums of ${risky.length} layers could saturate (pairs of weights that can: ${names.join(', ')}): use -u8s8-rr there`,
    },
  ]
}

/** Share of pairs of weights that can pass 16 bits. */
function saturatingShare(
  operator: GraphOperator,
  { tensor, form, values }: Stored,
  graph: Graph,
  seen: ReadonlyMap<number, TensorStatistics>,
): number {
  const weight = graph.tensors[tensor]
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const source = operator.inputs.find(({ role }) => role === 'activation')?.tensor ?? -1
  const numbers = values ?? weight?.constant?.read() ?? null
  const shape = weight?.shape ?? null
  // A depthwise product has one input channel: nothing is added in pairs.
  if (!numbers || !shape || form.type !== 'int8' || typeof input?.inputAxis !== 'number') return 0
  const { count, stride } = slicesOf(shape, input.inputAxis)
  const most = largestCodes(seen.get(source), count)
  const codes = codesOf(numbers, shape, form)
  let [pairs, saturating] = [0, 0]
  for (let i = 0; i + stride < codes.length; i += 1) {
    const channel = Math.floor(i / stride) % count
    if (channel % 2 === 1 || channel + 1 === count) continue
    const products = [(codes[i] as number) * (most[channel] as number)]
    products.push((codes[i + stride] as number) * (most[channel + 1] as number))
    const up = products.reduce((sum, product) => sum + Math.max(0, product), 0)
    const down = products.reduce((sum, product) => sum - Math.min(0, product), 0)
    pairs += 1
    if (up > MOST || down > MOST + 1) saturating += 1
  }
  return pairs === 0 ? 0 : saturating / pairs
}

/** The largest code of each channel, in the tensor's own range. */
function largestCodes(one: TensorStatistics | undefined, count: number): Float64Array {
  const all = new Float64Array(count).fill(LARGEST_CODE)
  const channels = one?.channels
  if (!one || !channels || channels.max.length !== count) return all
  const [low, high] = [Math.min(0, one.min), Math.max(0, one.max)]
  if (!(high > low)) return all
  return all.map((_, channel) => {
    const reached = ((channels.max[channel] as number) - low) / (high - low)
    return Math.ceil(LARGEST_CODE * Math.min(1, Math.max(0, reached)))
  })
}
