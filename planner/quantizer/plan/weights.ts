import type { Finding } from '../../../shared/findings.ts'
import { sizeOf } from '../../../shared/tensors.ts'
import type {
  AffineParameters,
  Form,
  GraphReader,
  GraphTensor,
  Instruction,
  OperatorId,
  OperatorKind,
  Plan,
  Use,
} from '../../graph/index.ts'
import { FLOAT32, holdsFinite, magnitudes, usesOf, WEIGHT_CODE_MAX } from '../../graph/index.ts'
import { weightParameters } from '../parameters/weight.ts'
import { leftFloat } from './findings.ts'
import type { PlanRequest } from './request.ts'
import { whyKept } from './selectors.ts'
import { tallyOf } from './tally.ts'

/** What the operators that expand a constant, and its parameters, take in a file. */
const EXPANDING_BYTES = 256
const SCALE_BYTES = 4

/** Below this what a table holds is hardly a matrix of a product, rather coordinates or a mask. */
const LEAST_DB = 30

/** Operators that multiply and sum a constant matrix, or look rows up in one, though no role says so. */
const READ_AS_TABLES: ReadonlySet<OperatorKind> = new Set([
  'batch-matmul',
  'recurrent',
  'gather',
  'gather-nd',
  'slice',
  'strided-slice',
  'split',
  'transpose',
  'reshape',
])
const TABLES_BY_NAME =
  /^(Einsum|DeformConv|Fused(Conv|Gemm|MatMul)|(MultiHead|Packed)?Attention|EmbedLayerNormalization)$/

/**
 * Int8 weights that are expanded when the model loads (`weight-w8`): of any operator, in loops and branches too, because
 * no kernel needs to know of it. Numbers that are added, compared or clipped with stay as they are.
 */
export function planWeights(request: PlanRequest): Plan {
  const { graph } = request
  const narrow = new Set<OperatorId>()
  const findings: Finding[] = []
  const instructions: Instruction[] = []
  for (const tensor of graph.tensors) {
    const readers = isFloatConstant(tensor) ? readersOf(tensor, request) : null
    const parameters = readers && parametersOf(tensor, readers)
    if (parameters === null) continue
    const { uses, kept } = sorted(tensor, request)
    findings.push(...kept)
    if (kept.length > 0) continue
    const form: Form = { type: 'int8', parameters }
    instructions.push(
      { verb: 'store-constant', tensor: tensor.id, form, uses: [] },
      { verb: 'convert', tensor: tensor.id, from: form, to: FLOAT32, uses },
    )
    for (const { operator } of uses) narrow.add(operator)
  }
  return { instructions, findings, operators: tallyOf(graph, narrow, findings) }
}

function isFloatConstant({ constant, type, variable }: GraphTensor): boolean {
  return constant !== null && type === 'float32' && !variable
}

/** Whoever reads the constant; null where someone reads it as anything but a weight, or gives it out. */
function readersOf(tensor: GraphTensor, { graph, links }: PlanRequest): GraphReader[] | null {
  const uses = usesOf(links, tensor.id)
  if (uses.some(({ kind }) => kind === 'output')) return null
  const seen = uses.flatMap((use): GraphReader[] => {
    const operator = use.kind === 'input' ? graph.operators[use.operator] : undefined
    const input = use.kind === 'input' ? operator?.inputs[use.position] : undefined
    if (operator === undefined || input === undefined) return []
    const { role, channelAxis } = input
    return [{ kind: operator.kind, nativeKind: operator.nativeKind, role, channelAxis }]
  })
  const all = [...seen, ...(tensor.unseenReaders ?? [])]
  return all.length > 0 && all.every(readsWeight) ? all : null
}

function readsWeight({ kind, nativeKind, role }: GraphReader): boolean {
  if (role === 'weight') return true
  return role === 'activation' && (READ_AS_TABLES.has(kind) || TABLES_BY_NAME.test(nativeKind))
}

/** Null where int8 saves nothing, or loses too much. */
function parametersOf(
  { shape, constant }: GraphTensor,
  readers: readonly GraphReader[],
): AffineParameters | null {
  const dims = shape ?? []
  const long = dims.flatMap((dim, axis) => (dim > 1 ? [axis] : []))
  if (constant === null || long.length < 2 || savedBytes(dims, null) <= 0) return null
  const values = constant.read()
  if (values === null || !holdsFinite(constant, values)) return null
  const axes = channelAxes(readers)
  const candidates = axes.length === 1 ? axes : [null, ...long]
  const [best] = candidates
    .filter((axis) => savedBytes(dims, axis) > 0)
    .map((axis) => ({ axis, noise: noiseOf(values, dims, axis) }))
    .sort((a, b) => a.noise - b.noise)
  if (best === undefined) return null
  const signal = values.reduce((sum, value) => sum + value * value, 0)
  if (axes.length === 0 && 10 * Math.log10(signal / best.noise) < LEAST_DB) return null
  return weightParameters(values, dims, best.axis)
}

/** Dimensions along which kernels count the outputs of this weight. */
function channelAxes(readers: readonly GraphReader[]): number[] {
  const known = readers.flatMap(({ role, channelAxis }) =>
    role === 'weight' && channelAxis !== null ? [channelAxis] : [],
  )
  return [...new Set(known)]
}

function savedBytes(dims: readonly number[], axis: number | null): number {
  const scales = axis === null ? 1 : (dims[axis] ?? 1)
  return 3 * sizeOf(dims) - SCALE_BYTES * scales - EXPANDING_BYTES
}

/** Of rounding: a twelfth of the squared step for each number. */
function noiseOf(values: Float32Array, dims: readonly number[], axis: number | null): number {
  const largest = magnitudes(values, dims, axis)
  const each = values.length / largest.length
  return largest.reduce((sum, most) => sum + (each * (most / WEIGHT_CODE_MAX[8]) ** 2) / 12, 0)
}

type InputUse = Extract<Use, { kind: 'input' }>

/** A constant that someone wants in float stays so for all: two of it would be larger than one. */
function sorted(tensor: GraphTensor, { graph, links, keepFloat }: PlanRequest) {
  const kept: Finding[] = []
  const uses: InputUse[] = []
  for (const use of usesOf(links, tensor.id)) {
    if (use.kind !== 'input') continue
    const operator = graph.operators[use.operator]
    if (operator === undefined) continue
    const reason = whyKept(operator, keepFloat)
    if (reason === null) uses.push(use)
    else kept.push(leftFloat(graph, operator, reason))
  }
  return { uses, kept }
}
