import type {
  FusedActivation,
  Graph,
  GraphConstant,
  GraphOperator,
  GraphQuantization,
  GraphRange,
  GraphSubgraph,
  GraphTensor,
  OperatorKind,
} from '../../graph/index.ts'
import { realNumbers } from './constants.ts'
import type { TflModel, TflOperator, TflSubgraph, TflTensor, TflUnion } from './model.ts'
import { nativeInput, nativeOperator } from './native-operators.ts'
import { type Numbering, numberingOf } from './numbering.ts'
import { convolutionWindow } from './windows.ts'

/** The quantizer's view of a .tflite model. Reads the model's own bytes; changes nothing. */
export function viewOf(model: TflModel): Graph {
  const numbering = numberingOf(model)
  const called = calledSubgraphs(model)
  return {
    tensors: model.subgraphs.flatMap((subgraph, at) =>
      subgraph.tensors.map((tensor, i) => viewTensor(model, tensor, at, numbering.tensorId(at, i))),
    ),
    operators: model.subgraphs.flatMap((subgraph, at) =>
      subgraph.operators.map((_, i) => viewOperator(model, numbering, at, i)),
    ),
    subgraphs: model.subgraphs.map((subgraph, at) =>
      viewSubgraph(subgraph, at, numbering, !called.has(at)),
    ),
  }
}

function viewTensor(model: TflModel, tensor: TflTensor, subgraph: number, id: number): GraphTensor {
  const size = model.buffers[tensor.buffer]?.data?.length ?? 0
  const constant: GraphConstant | null =
    size === 0 || tensor.isVariable
      ? null
      : { storage: tensor.buffer, read: () => realNumbers(model, tensor) }
  return {
    id,
    subgraph,
    name: tensor.name ?? `tensor ${id}`,
    type: tensor.type.toLowerCase(),
    shape: tensor.shapeSignature?.length ? tensor.shapeSignature : tensor.shape,
    constant,
    quantization: viewQuantization(tensor),
    range: viewRange(tensor),
    variable: tensor.isVariable,
  }
}

function viewRange({ type, quantization }: TflTensor): GraphRange | null {
  const { scale, min, max } = quantization ?? {}
  if (type !== 'FLOAT32' || scale?.length || min?.length !== 1 || max?.length !== 1) return null
  const range = { min: min[0] as number, max: max[0] as number }
  return Number.isFinite(range.min) && range.min < range.max && Number.isFinite(range.max)
    ? range
    : null
}

function viewQuantization({ quantization }: TflTensor): GraphQuantization | null {
  if (quantization === null || !quantization.scale?.length) return null
  return {
    scales: Array.from(quantization.scale),
    zeroPoints: Array.from(quantization.zeroPoint ?? [], Number),
    axis: quantization.quantizedDimension,
  }
}

function viewOperator(
  model: TflModel,
  numbering: Numbering,
  at: number,
  index: number,
): GraphOperator {
  const subgraph = model.subgraphs[at] as TflSubgraph
  const operator = subgraph.operators[index] as TflOperator
  const code = model.operatorCodes[operator.opcodeIndex]
  const native = nativeOperator(code?.builtinCode ?? 'CUSTOM')
  const nativeKind = code?.customCode ?? code?.builtinCode ?? 'CUSTOM'
  // An optional bias that is left out altogether is shown as absent, so that a plan can add it.
  const positions = native.variadic
    ? operator.inputs.length
    : Math.max(operator.inputs.length, native.inputs.length)
  const first = subgraph.tensors[operator.outputs[0] ?? -1]
  return {
    id: numbering.operatorId(at, index),
    subgraph: at,
    name: first?.name ?? `${nativeKind} ${index}`,
    kind: native.kind,
    nativeKind,
    inputs: Array.from({ length: positions }, (_, position) => {
      const tensor = operator.inputs[position] ?? -1
      return {
        tensor: tensor < 0 ? null : numbering.tensorId(at, tensor),
        ...nativeInput(native, position),
      }
    }),
    outputs: operator.outputs.filter((i) => i >= 0).map((i) => numbering.tensorId(at, i)),
    fusedActivation: FUSED[fusedName(operator)] ?? 'none',
    window: viewWindow(subgraph, operator, native.kind),
    integerObstacle: integerObstacle(subgraph, operator),
  }
}

const FUSED: Record<string, FusedActivation> = {
  NONE: 'none',
  RELU: 'relu',
  RELU6: 'relu6',
  RELU_N1_TO_1: 'relu-n1-to-1',
  TANH: 'tanh',
  SIGN_BIT: 'sign',
}

function fusedName(operator: TflOperator): string {
  const name = operator.builtinOptions?.fusedActivationFunction
  return typeof name === 'string' ? name : 'NONE'
}

function viewWindow(subgraph: TflSubgraph, operator: TflOperator, kind: OperatorKind) {
  if (kind === 'fully-connected') return []
  if (kind !== 'conv' && kind !== 'depthwise-conv') return null
  const [input, filter] = operator.inputs
  return convolutionWindow(subgraph, input, filter, operator.outputs[0], operator.builtinOptions)
}

/** Options of an operator for which the integer kernels are missing. */
function integerObstacle(subgraph: TflSubgraph, operator: TflOperator): string | null {
  const fused = fusedName(operator)
  if (fused === 'TANH' || fused === 'SIGN_BIT') {
    return `no integer kernel fuses ${fused} into it`
  }
  const layout = operator.builtinOptions?.weightsFormat
  if (typeof layout === 'string' && layout !== 'DEFAULT') {
    return `its weights are packed as ${layout}`
  }
  const sparse = operator.inputs.some((i) => (subgraph.tensors[i]?.sparsity ?? null) !== null)
  return sparse ? 'its weights are stored sparse' : null
}

function viewSubgraph(
  subgraph: TflSubgraph,
  at: number,
  numbering: Numbering,
  entry: boolean,
): GraphSubgraph {
  return {
    id: at,
    name: subgraph.name ?? `subgraph ${at}`,
    inputs: subgraph.inputs.map((i) => numbering.tensorId(at, i)),
    outputs: subgraph.outputs.map((i) => numbering.tensorId(at, i)),
    entry,
  }
}

/** Fields in which operators name the subgraphs they run, across all options of the schema. */
const SUBGRAPH_FIELD = /^subgraph$|Subgraph(Index|Indices)$/

/** Subgraphs that operators run: loop bodies, branches, composites. */
function calledSubgraphs(model: TflModel): Set<number> {
  const called = new Set<number>()
  for (const subgraph of model.subgraphs) {
    for (const operator of subgraph.operators) {
      for (const index of subgraphsNamedBy(operator.builtinOptions)) called.add(index)
      for (const index of subgraphsNamedBy(operator.builtinOptions2)) called.add(index)
    }
  }
  return called
}

function subgraphsNamedBy(options: TflUnion | null): number[] {
  return Object.entries(options ?? {})
    .filter(([field]) => SUBGRAPH_FIELD.test(field))
    .flatMap(([, value]) => value as number | number[])
}
