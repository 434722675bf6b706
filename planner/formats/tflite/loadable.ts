import type { Finding } from '../../../shared/findings.ts'
import type { CodeForms, Computation, Graph, GraphOperator, InputRole } from '../../graph/index.ts'
import { readTflite } from './codec/read.ts'
import type { TflModel, TflOperator, TflTensor } from './model.ts'
import { releaseAfter } from './releases.ts'
import { type OperatorSignature, type TensorSignature, versionOf } from './versions.ts'

/** More scales than one, for versions that ask only that. */
const PER_CHANNEL = [1, 1]

/** Why a runtime of `release` cannot load the operator once it computes so; null where it can. */
export function newerForm(
  model: TflModel,
  operator: GraphOperator,
  as: Computation,
  forms: CodeForms,
  release: string,
): string | null {
  const native = model.subgraphs.flatMap(({ operators }) => operators)[operator.id]
  const tensors = model.subgraphs[operator.subgraph]?.tensors ?? []
  if (native === undefined) return null
  const version = versionOf(operator.nativeKind, formOf(native, tensors, operator, as, forms))
  const needed = releaseAfter(release, operator.nativeKind, version)
  if (needed === null) return null
  return `${operator.nativeKind} version ${version}, its ${as} form, came with TensorFlow Lite ${needed}, after ${release}`
}

/** A finding for each kind and version of operator that a runtime of `release` does not know. */
export function unloadable(model: TflModel, graph: Graph, release: string): Finding[] {
  const used = model.subgraphs.flatMap(({ operators }) => operators)
  const found = new Map<string, { names: string[]; needed: string }>()
  for (const [id, { opcodeIndex }] of used.entries()) {
    const code = model.operatorCodes[opcodeIndex]
    const needed = code && releaseAfter(release, code.builtinCode, code.version)
    if (!needed) continue
    const form = `${code.builtinCode} version ${code.version}`
    const { names } = found.get(form) ?? { names: [] }
    found.set(form, { names: [...names, graph.operators[id]?.name ?? ''], needed })
  }
  return [...found].map(([form, { names, needed }]) => ({
    code: 'operator-too-new',
    severity: 'error',
    message: `TensorFlow Lite ${release} cannot load ${form} ("${names[0]}"${more(names)}): it came with ${needed}`,
    where: names[0] ?? '',
  }))
}

/** Each operator of the file in a version that came after `release`. */
export function newerThan(
  bytes: Uint8Array,
  fileName: string,
  release: string,
): { readonly operator: string; readonly version: number; readonly release: string }[] {
  return readTflite(bytes, fileName).operatorCodes.flatMap(({ builtinCode, version }) => {
    const needed = releaseAfter(release, builtinCode, version)
    return needed === null ? [] : [{ operator: builtinCode, version, release: needed }]
  })
}

function more({ length }: readonly string[]): string {
  return length > 1 ? ` and ${length - 1} more` : ''
}

function formOf(
  { builtinOptions, builtinOptions2, inputs, outputs }: TflOperator,
  tensors: readonly TflTensor[],
  operator: GraphOperator,
  as: Computation,
  forms: CodeForms,
): OperatorSignature {
  const options = builtinOptions ?? builtinOptions2
  const matrix = operator.inputs.findIndex(({ role }) => role === 'weight')
  return {
    inputs: inputs.map((index, at) => {
      const tensor = tensors[index]
      const input = operator.inputs[at]
      if (tensor === undefined || input === undefined) return null
      if (as === 'integer')
        return integerForm(tensor, input.role, input.channelAxis !== null, forms)
      const perChannel = operator.kind !== 'fully-connected' || forms.perChannelHybridFullyConnected
      return at === matrix ? coded(tensor, 'INT8', perChannel) : plain(tensor)
    }),
    outputs: outputs.flatMap((index) => {
      const tensor = tensors[index]
      if (tensor === undefined) return []
      return as === 'integer' ? integerForm(tensor, 'activation', false, forms) : plain(tensor)
    }),
    options:
      as === 'hybrid' && options !== null && 'asymmetricQuantizeInputs' in options
        ? { ...options, asymmetricQuantizeInputs: true }
        : options,
  }
}

function integerForm(
  tensor: TflTensor,
  role: InputRole,
  perChannel: boolean,
  forms: CodeForms,
): TensorSignature {
  if (role === 'shape' || tensor.type !== 'FLOAT32') return plain(tensor)
  if (role === 'bias') return coded(tensor, 'INT32', perChannel)
  return role === 'weight'
    ? coded(tensor, 'INT8', perChannel)
    : coded(tensor, forms.activations.toUpperCase(), false)
}

function plain({ type, shape, quantization, sparsity }: TflTensor): TensorSignature {
  const scales = Array.from(quantization?.scale ?? [])
  return { type, shape: shape ?? [], scales, sparse: sparsity !== null }
}

/** Scales are not known yet: versions that depend on their values show in the finished file. */
function coded(tensor: TflTensor, type: string, perChannel: boolean): TensorSignature {
  return { ...plain(tensor), type, scales: perChannel ? PER_CHANNEL : [] }
}
