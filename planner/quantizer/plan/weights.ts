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
  TensorId,
  Use,
} from '../../graph/index.ts'
import { FLOAT32, holdsFinite, magnitudes, usesOf, WEIGHT_CODE_MAX } from '../../graph/index.ts'
import { weightParameters } from '../parameters/weight.ts'
import { leftFloat } from './findings.ts'
import type { PlanRequest } from './request.ts'
import { whyKept } from './selectors.ts'
import { type Stored, storedAlike } from './tables.ts'
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
  const { instructions, findings } = expandedWeights(request, [])
  const narrow = readersOf(instructions)
  return { instructions, findings, operators: tallyOf(request.graph, narrow, findings) }
}

/** Operators that read what is expanded. */
export function readersOf(instructions: readonly Instruction[]): Set<OperatorId> {
  return new Set(
    instructions.flatMap((one) =>
      one.verb === 'convert'
        ? one.uses.flatMap((use) => (use.kind === 'input' ? use.operator : []))
        : [],
    ),
  )
}

/**
 * Stores of weights for whoever does not read them as `stored` already; one that is stored for others takes the same
 * form, and the file holds it once.
 * @param least elements of a constant that is worth it
 */
export function expandedWeights(
  request: PlanRequest,
  stored: readonly Instruction[],
  least = 0,
): Pick<Plan, 'instructions' | 'findings'> {
  const findings: Finding[] = []
  const instructions: Instruction[] = []
  const served = new Set(stored.flatMap(usesServed))
  for (const tensor of request.graph.tensors) {
    const uses = usesOf(request.links, tensor.id).filter(
      (use) => !served.has(keyOf(tensor.id, use)),
    )
    if (!isFloatConstant(tensor) || sizeOf(tensor.shape ?? []) < least) continue
    const readers = readingWeights(tensor, uses, request)
    const alike = readers && storedAlike(tensor, [...stored, ...instructions], request)
    const parameters = alike ? null : readers && parametersOf(tensor, readers, request)
    const form: Form | null = alike?.form ?? (parameters && { type: 'int8', parameters })
    if (form === null) continue
    const { inputs, kept } = sorted(uses, request)
    findings.push(...kept)
    if (kept.length > 0) continue
    instructions.push(
      { verb: 'store-constant', tensor: tensor.id, form, uses: [], ...valuesOf(alike) },
      { verb: 'convert', tensor: tensor.id, from: form, to: FLOAT32, uses: inputs },
    )
  }
  return { instructions, findings }
}

function valuesOf(alike: Stored | null) {
  return alike?.values ? { values: alike.values } : {}
}

function usesServed(one: Instruction): string[] {
  if (one.verb !== 'store-constant' && one.verb !== 'convert') return []
  return one.uses.map((use) => keyOf(one.tensor, use))
}

function keyOf(tensor: TensorId, use: Use): string {
  return use.kind === 'input'
    ? `${tensor} ${use.operator} ${use.position}`
    : `${tensor} output ${use.subgraph} ${use.position}`
}

function isFloatConstant({ constant, type, variable }: GraphTensor): boolean {
  return constant !== null && type === 'float32' && !variable
}

/** Whoever reads the constant; null where someone reads it as anything but a weight, or gives it out. */
function readingWeights(
  tensor: GraphTensor,
  uses: readonly Use[],
  { graph }: PlanRequest,
): GraphReader[] | null {
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
  tensor: GraphTensor,
  readers: readonly GraphReader[],
  request: PlanRequest,
): AffineParameters | null {
  const { shape, constant } = tensor
  const dims = shape ?? []
  const long = dims.flatMap((dim, axis) => (dim > 1 ? [axis] : []))
  if (constant === null || long.length < 2 || savedBytes(dims, null) <= 0) return null
  const values = constant.read()
  if (values === null || !holdsFinite(constant, values)) return null
  const axes = channelAxes(tensor, readers, request)
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

/** Dimensions along which kernels count the outputs of this weight, or of the one whose bytes it shares. */
function channelAxes(
  { id, constant, shape }: GraphTensor,
  readers: readonly GraphReader[],
  { graph, links }: PlanRequest,
): number[] {
  const known = readers.flatMap(({ role, channelAxis }) =>
    role === 'weight' && channelAxis !== null ? [channelAxis] : [],
  )
  const twins = graph.tensors.filter(
    (one) => one.id !== id && one.constant?.storage === constant?.storage,
  )
  const shared = twins.flatMap((twin) => {
    const turned = twin.shape?.join() !== shape?.join()
    return usesOf(links, twin.id).flatMap((use) => {
      const reader = use.kind === 'input' ? graph.operators[use.operator] : undefined
      const input = reader?.inputs[use.position]
      if (input?.role !== 'weight' || input.channelAxis === null) return []
      return [turned ? 1 - input.channelAxis : input.channelAxis]
    })
  })
  return [...new Set([...known, ...shared])]
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
function sorted(uses: readonly Use[], { graph, keepFloat }: PlanRequest) {
  const kept: Finding[] = []
  const inputs: InputUse[] = []
  for (const use of uses) {
    if (use.kind !== 'input') continue
    const operator = graph.operators[use.operator]
    const reason = operator === undefined ? null : whyKept(operator, keepFloat)
    if (operator === undefined || reason === null) inputs.push(use)
    else kept.push(leftFloat(graph, operator, reason))
  }
  return { inputs, kept }
}
