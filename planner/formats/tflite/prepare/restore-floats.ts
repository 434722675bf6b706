import type { Finding } from '../../../../shared/findings.ts'
import type { SourceTreatment } from '../../../graph/index.ts'
import { realNumbers } from '../constants.ts'
import {
  type Draft,
  type DraftOperator,
  type DraftSubgraph,
  type DraftTensor,
  draftOf,
} from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { settleVersion, signatureOf } from '../transform/signatures.ts'
import type { Prepared } from './prepared.ts'

/**
 * Finds constants that are stored as integers or halves but computed with in float, as dynamic-range and
 * float16 models have them, and turns them back into float32. Operators that compute on integers stay.
 */
export function restoreFloats(
  model: TflModel,
  treatment: SourceTreatment,
  widenHalves = treatment === 'dequantize',
): Prepared {
  const every = restore(model, () => true)
  const { constants } = every
  const integer = integerOperators(every.draft)
  const findings = [
    ...storedFindings(
      constants.filter(isHalf),
      'source-half-precision',
      'float16',
      widenHalves && treatment === 'keep' ? 'dequantize' : treatment,
    ),
    ...storedFindings(
      constants.filter((tensor) => !isHalf(tensor)),
      'source-already-quantized',
      'integer',
      treatment,
    ),
    ...integerFindings(integer, treatment),
  ]
  if (treatment === 'dequantize') return { model: finished(every, model), findings }
  return { model: widenHalves ? finished(restore(model, isHalf), model) : model, findings }
}

interface Restored {
  readonly draft: Draft
  /** As they were. */
  readonly constants: readonly DraftTensor[]
}

function restore(model: TflModel, wanted: (stored: DraftTensor) => boolean): Restored {
  const draft = draftOf(model)
  const expanded = draft.subgraphs.flatMap((subgraph) => expandConstants(draft, subgraph, wanted))
  const hybrid = draft.subgraphs.flatMap((subgraph) => dequantizeWeights(draft, subgraph, wanted))
  return { draft, constants: [...expanded, ...hybrid] }
}

function finished({ draft, constants }: Restored, source: TflModel): TflModel {
  return constants.length > 0 ? finishDraft(draft) : source
}

/** DEQUANTIZE of a constant: its readers read the float constant itself. */
function expandConstants(
  draft: Draft,
  subgraph: DraftSubgraph,
  wanted: (stored: DraftTensor) => boolean,
): DraftTensor[] {
  const expanded: DraftTensor[] = []
  subgraph.operators = subgraph.operators.filter((operator) => {
    const [stored] = operator.inputs
    const [output] = operator.outputs
    if (operator.code.builtinCode !== 'DEQUANTIZE' || !stored || !output) return true
    if (!wanted(stored)) return true
    const values = realNumbers(draft.model, stored.fields)
    if (values === null || output.fields.type !== 'FLOAT32') return true
    expanded.push({ ...stored })
    output.data = bytesOf(values)
    return false
  })
  return expanded
}

/** Integer weights between float activations: the hybrid kernels' form. */
function dequantizeWeights(
  draft: Draft,
  subgraph: DraftSubgraph,
  wanted: (stored: DraftTensor) => boolean,
): DraftTensor[] {
  const stored: DraftTensor[] = []
  for (const operator of subgraph.operators) {
    if (operator.outputs[0]?.fields.type !== 'FLOAT32' || isConversion(operator)) continue
    const before = signatureOf(operator)
    const weights = operator.inputs.filter(
      (tensor) => tensor !== null && isStored(draft, tensor) && wanted(tensor),
    )
    if (weights.length === 0) continue
    for (const weight of weights) {
      if (weight === null) continue
      stored.push({ ...weight })
      const values = realNumbers(draft.model, weight.fields) ?? new Float32Array(0)
      const fields = { ...weight.fields, type: 'FLOAT32', quantization: null }
      const expanded = { fields, data: bytesOf(values) }
      subgraph.tensors.push(expanded)
      operator.inputs = operator.inputs.map((tensor) => (tensor === weight ? expanded : tensor))
    }
    settleVersion(operator, before)
  }
  return stored
}

function isConversion({ code }: DraftOperator): boolean {
  return code.builtinCode === 'DEQUANTIZE' || code.builtinCode === 'QUANTIZE'
}

function isStored(draft: Draft, tensor: DraftTensor): boolean {
  const coded = tensor.fields.type !== 'FLOAT32' && tensor.data !== null
  return coded && realNumbers(draft.model, tensor.fields) !== null
}

function isHalf(tensor: DraftTensor): boolean {
  return tensor.fields.type === 'FLOAT16'
}

function integerOperators(draft: Draft): DraftOperator[] {
  return draft.subgraphs
    .flatMap((subgraph) => subgraph.operators)
    .filter((operator) => !isConversion(operator))
    .filter((operator) => (operator.outputs[0]?.fields.quantization?.scale?.length ?? 0) > 0)
}

const DONE: Record<SourceTreatment, string> = {
  keep: 'they are kept as they are, and what was lost stays lost',
  dequantize: 'they are turned back into float32, and what was lost stays lost',
  refuse: 'what was lost stays lost',
}

function storedFindings(
  tensors: readonly DraftTensor[],
  code: string,
  kind: string,
  treatment: SourceTreatment,
): Finding[] {
  const [first] = tensors
  if (first === undefined) return []
  return [
    {
      code,
      severity: kind === 'integer' ? 'warning' : 'info',
      message: `the source stores ${tensors.length} constants as ${kind} numbers (first: "${first.fields.name}", ${first.fields.type}); ${DONE[treatment]}: prefer the true float model`,
      where: first.fields.name ?? '',
    },
  ]
}

function integerFindings(
  operators: readonly DraftOperator[],
  treatment: SourceTreatment,
): Finding[] {
  const [first] = operators
  if (first === undefined) return []
  const name = first.outputs[0]?.fields.name ?? ''
  return [
    {
      code: 'source-already-quantized',
      severity: 'warning',
      message: `${operators.length} operators of the source compute on integers already (first: ${first.code.builtinCode} "${name}")${treatment === 'refuse' ? '' : '; they are kept as they are'}`,
      where: name,
    },
  ]
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
