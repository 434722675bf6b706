import type { Finding } from '../../../shared/findings.ts'
import type {
  Graph,
  GraphInput,
  GraphOperator,
  GraphTensor,
  InstructionArguments,
  Plan,
} from '../../graph/index.ts'
import { type Form, INTEGER_LIMITS, roundHalfAway, within } from '../../graph/index.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import { addsNothing } from '../parameters/pairs.ts'

/** VPMADDUBSW adds two neighbouring products in 16 bits, and saturates (Intel SDM). */
const MOST = 2 ** 15 - 1
const LARGEST_CODE = INTEGER_LIMITS.uint8.max
const { min: LEAST_WEIGHT, max: MOST_WEIGHT } = INTEGER_LIMITS.int8
/** Held against a Haswell on three models: layers above it differ in more than a hundredth of their outputs. */
const USUAL_DEVIATIONS = 2

type Stored = InstructionArguments['store-constant']

/** A product whose sums could pass 16 bits, and the pairs of products, added there, that would. */
export interface SaturationRisk {
  readonly operator: string
  /** Share of the pairs where neighbours are as large as each ever was: a bound. */
  readonly atMost: number
  /** Share where both are two deviations above their means, as happens every day. */
  readonly often: number
}

/** Layers that x86 without VNNI computes otherwise than other processors do, and what to ask for there. */
export function saturationFindings(
  plan: Plan,
  graph: Graph,
  statistics: readonly TensorStatistics[],
  instead: string,
): Finding[] {
  const risks = saturationRisks(plan, graph, statistics)
  if (risks.length === 0) return []
  const often = risks.filter((risk) => risk.often > 0).sort((a, b) => b.often - a.often)
  const [first] = [...risks].sort((a, b) => b.atMost - a.atMost)
  const told =
    often.length > 0
      ? `and often will in ${often.map((risk) => named(risk, risk.often)).join(', ')}`
      : `most in ${first && named(first, first.atMost)}`
  return [
    {
      code: 'int16-saturation',
      severity: 'info',
      message: `on x86 without VNNI, sums of ${risks.length} layers could saturate, ${told} (of its pairs of weights): use ${instead} there`,
      where: risks.map(({ operator }) => operator).join(', '),
    },
  ]
}

function named({ operator }: SaturationRisk, share: number): string {
  return `"${operator}" ${(100 * share).toFixed(1)} %`
}

/** From the weights and the codes that calibration saw in each input channel. */
export function saturationRisks(
  plan: Plan,
  graph: Graph,
  statistics: readonly TensorStatistics[],
): SaturationRisk[] {
  const seen = new Map(statistics.map((one) => [one.tensor, one]))
  return plan.instructions.flatMap((one) => {
    if (one.verb !== 'store-constant' || one.form.type !== 'int8') return []
    const [use] = one.uses
    const operator = use?.kind === 'input' ? graph.operators[use.operator] : undefined
    const weight = use?.kind === 'input' ? operator?.inputs[use.position] : undefined
    if (operator === undefined || weight?.role !== 'weight') return []
    const product = productOf(operator, weight, one, graph, plan, seen)
    if (product === null) return []
    const shares = saturatingShares(product)
    return shares.atMost === 0 ? [] : [{ operator: operator.name, ...shares }]
  })
}

/** A weight as its kernel walks through it: `outputs` rows of `taps` × `channels` numbers. */
interface Product {
  readonly weights: Float32Array
  /** Real size of a code, for the tensor or each output. */
  readonly scales: readonly number[]
  readonly outputs: number
  readonly channels: number
  readonly taps: number
  /** Elements between neighbours along the output and the input channels; taps are neighbours of their own. */
  readonly toOutput: number
  readonly toChannel: number
  /** Codes of each channel of the activation: the largest, and those that many reach, 0 where nobody knows. */
  readonly largest: Float64Array
  readonly usual: Float64Array
}

function productOf(
  operator: GraphOperator,
  { channelAxis, inputAxis }: GraphInput,
  { tensor, form, values }: Stored,
  graph: Graph,
  plan: Plan,
  seen: ReadonlyMap<number, TensorStatistics>,
): Product | null {
  const weight = graph.tensors[tensor]
  const shape = weight?.shape ?? null
  const numbers = values ?? weight?.constant?.read() ?? null
  const position = operator.inputs.findIndex(({ role }) => role === 'activation')
  const source = graph.tensors[operator.inputs[position]?.tensor ?? -1]
  if (!numbers || !shape || !source || form.type !== 'int8') return null
  if (channelAxis === null || numbers.length === 0 || addsNothing(operator, graph)) {
    return null
  }
  // A weight of one input channel says so by no axis: its second dimension.
  const [outputs = 1, channels = 1] = [shape[channelAxis], shape[inputAxis ?? 1]]
  const stride = (axis: number) => shape.slice(axis + 1).reduce((all, dim) => all * dim, 1)
  return {
    weights: numbers,
    scales: form.parameters.scales,
    outputs,
    channels,
    taps: numbers.length / (outputs * channels),
    toOutput: stride(channelAxis),
    toChannel: stride(inputAxis ?? 1),
    ...codesSeen(seen.get(source.id), heldIn(plan, operator.id, position, source), channels),
  }
}

/**
 * Shares of pairs that can pass 16 bits. Images are laid out channels last first (im2col), so that neighbours are
 * channels of one tap, and where their number is odd the last of one tap and the first of the next.
 */
function saturatingShares(product: Product): Pick<SaturationRisk, 'atMost' | 'often'> {
  const { weights, scales, outputs, channels, taps, toOutput, toChannel, largest, usual } = product
  const depth = channels * taps
  const channel = Int32Array.from({ length: depth }, (_, k) => k % channels)
  const offset = channel.map((one, k) => one * toChannel + Math.floor(k / channels))
  const groups = Math.max(1, Math.floor(largest.length / channels))
  let [atMost, often] = [0, 0]
  for (let output = 0; output < outputs; output += 1) {
    const first = Math.floor((output * groups) / outputs) * channels
    const start = output * toOutput
    const scale = (scales.length === 1 ? scales[0] : scales[output]) as number
    for (let k = 0; k + 1 < depth; k += 2) {
      const a = weights[start + (offset[k] as number)] as number
      const b = weights[start + (offset[k + 1] as number)] as number
      const [one, other] = [first + (channel[k] as number), first + (channel[k + 1] as number)]
      if (fits(a, largest[one] as number, b, largest[other] as number, scale)) continue
      atMost += 1
      if (!fits(a, usual[one] as number, b, usual[other] as number, scale)) often += 1
    }
  }
  const pairs = outputs * Math.floor(depth / 2)
  return pairs === 0 ? { atMost: 0, often: 0 } : { atMost: atMost / pairs, often: often / pairs }
}

/** Two codes rounded by a half each move the sum by no more. */
const ROUNDING = LARGEST_CODE

/**
 * Whether the sum of two products of weights with codes does. One product always does (128 × 255): where signs differ,
 * the larger one alone is the worst.
 */
function fits(a: number, one: number, b: number, other: number, scale: number): boolean {
  const first = within(a / scale, LEAST_WEIGHT, MOST_WEIGHT)
  const second = within(b / scale, LEAST_WEIGHT, MOST_WEIGHT)
  let sum = first * one + second * other
  // Rounding every weight takes as long as writing it.
  if (Math.abs(Math.abs(sum) - MOST) <= ROUNDING) {
    sum = roundHalfAway(first) * one + roundHalfAway(second) * other
  }
  return sum <= MOST && sum >= -MOST - 1
}

/** The form in which an operator reads its activation. */
function heldIn(plan: Plan, operator: number, position: number, { id }: GraphTensor): Form | null {
  let held: Form | null = null
  for (const one of plan.instructions) {
    if (one.verb === 'set-activation' && one.tensor === id) held ??= one.form
    const converts = one.verb === 'convert' && one.tensor === id
    const here = (use: (typeof one & { verb: 'convert' })['uses'][number]) =>
      use.kind === 'input' && use.operator === operator && use.position === position
    if (converts && one.uses.some(here)) held = one.to
  }
  return held
}

/** In the form of the tensor, whose padding is the zero point; at least as many as a row of the weight reads. */
function codesSeen(
  statistics: TensorStatistics | undefined,
  form: Form | null,
  channels: number,
): Pick<Product, 'largest' | 'usual'> {
  const seen = statistics?.channels
  if (!seen || seen.max.length % channels !== 0 || form === null || !('parameters' in form)) {
    return {
      largest: new Float64Array(channels).fill(LARGEST_CODE),
      usual: new Float64Array(channels),
    }
  }
  const [scale = 1] = form.parameters.scales
  const [zeroPoint = 0] = form.parameters.zeroPoints
  const code = (value: number) =>
    Math.min(LARGEST_CODE, Math.max(0, Math.round(Math.max(0, value) / scale) + zeroPoint))
  const usual = seen.max.map((max, i) => {
    const mean = seen.means[i] as number
    const deviation = Math.sqrt(Math.max(0, (seen.squares[i] as number) - mean ** 2))
    return Math.min(max, mean + USUAL_DEVIATIONS * deviation)
  })
  return { largest: seen.max.map(code), usual: usual.map(code) }
}
