import type { DraftOperator } from '../draft.ts'
import type { TflOperator, TflTensor } from '../model.ts'
import { type OperatorSignature, type TensorSignature, versionOf } from '../versions.ts'

/**
 * Gives a changed operator the version its new form needs. Where the table does not explain the
 * version it had before, the source knew of a feature we do not see: that version stays the floor.
 */
export function settleVersion(operator: DraftOperator, before: OperatorSignature | null): void {
  const { builtinCode, version } = operator.code
  const needed = versionOf(builtinCode, signatureOf(operator))
  const explained = before === null || versionOf(builtinCode, before) >= version
  operator.code = { ...operator.code, version: explained ? needed : Math.max(needed, version) }
}

export function signatureOf(operator: DraftOperator): OperatorSignature {
  return {
    inputs: operator.inputs.map((tensor) => tensor && tensorSignature(tensor.fields)),
    outputs: operator.outputs.flatMap((tensor) => (tensor ? tensorSignature(tensor.fields) : [])),
    options: optionsOf(operator.fields),
  }
}

export function tensorSignature(tensor: TflTensor): TensorSignature {
  return {
    type: tensor.type,
    shape: tensor.shape ?? [],
    scales: Array.from(tensor.quantization?.scale ?? []),
    sparse: tensor.sparsity !== null,
  }
}

function optionsOf(operator: TflOperator) {
  return operator.builtinOptions ?? operator.builtinOptions2
}

export function signaturesOf(
  operators: readonly DraftOperator[],
): ReadonlyMap<DraftOperator, OperatorSignature> {
  return new Map(operators.map((operator) => [operator, signatureOf(operator)]))
}
