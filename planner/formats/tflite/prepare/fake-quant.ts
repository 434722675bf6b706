import type { Finding } from '../../../../shared/findings.ts'
import { realNumbers } from '../constants.ts'
import { type Draft, type DraftOperator, type DraftSubgraph, draftOf } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { bytesOf, type LearntRange, learn, replace } from './learnt-range.ts'
import type { Prepared } from './prepared.ts'
import { removePairs } from './quantize-pairs.ts'

/**
 * FAKE_QUANT, which quantization-aware training leaves behind ⇒ the range it learnt, on the tensor itself: real
 * quantization takes its place. Constants behind it take the numbers that training computed with. So do QUANTIZE and
 * DEQUANTIZE one behind the other, as newer exporters write it.
 */
export function learntRanges(model: TflModel): Prepared {
  const draft = draftOf(model)
  const removed = draft.subgraphs.flatMap((subgraph) => [
    ...subgraph.operators.filter(isFakeQuant).filter((one) => remove(one, subgraph, draft)),
    ...removePairs(subgraph, draft),
  ])
  const changed = removed.length === 0 ? model : finishDraft(draft)
  const findings = removed.length === 0 ? statedFinding(model) : removedFinding(removed)
  return { model: changed, findings }
}

function isFakeQuant({ code, inputs, outputs }: DraftOperator): boolean {
  const [input, output] = [inputs[0]?.fields, outputs[0]?.fields]
  return (
    code.builtinCode === 'FAKE_QUANT' && input?.type === 'FLOAT32' && output?.type === 'FLOAT32'
  )
}

interface LearntCodes extends LearntRange {
  readonly steps: number
}

/** False where its range is none: the operator stays, and is told as one that has no integer form. */
function remove(operator: DraftOperator, subgraph: DraftSubgraph, draft: Draft): boolean {
  const range = rangeOf(operator)
  const [input] = operator.inputs
  const [output] = operator.outputs
  if (range === null || !input || !output) return false
  subgraph.operators.splice(subgraph.operators.indexOf(operator), 1)
  const values = input.data === null ? null : realNumbers(draft.model, input.fields)
  if (values !== null) {
    output.data = bytesOf(values.map((value) => nearest(value, range)))
    learn(output, range)
    return true
  }
  learn(input, range)
  replace(output, input, subgraph, draft)
  return true
}

function rangeOf({ fields }: DraftOperator): LearntCodes | null {
  const options = fields.builtinOptions
  const [min, max] = [Number(options?.min ?? 0), Number(options?.max ?? 0)]
  const bits = Number(options?.numBits ?? 0) || 8
  const sound = Number.isFinite(min) && Number.isFinite(max) && min <= 0 && max >= 0 && min < max
  return sound ? { min, max, steps: 2 ** bits - (options?.narrowRange ? 2 : 1) } : null
}

/** The number that the operator gives out: zero is exact, as in the kernel (fake_quant.h). */
function nearest(value: number, { min, max, steps }: LearntCodes): number {
  const scale = (max - min) / steps
  const zero = Math.min(steps, Math.max(0, Math.round(-min / scale)))
  const code = Math.min(steps, Math.max(0, Math.round(value / scale) + zero))
  return (code - zero) * scale
}

function removedFinding(removed: readonly DraftOperator[]): Finding[] {
  const [first] = removed
  if (first === undefined) return []
  const name = first.outputs[0]?.fields.name ?? ''
  return [
    {
      code: 'ranges-learnt',
      severity: 'info',
      message: `the source was trained for quantization: ${removed.length} ${first.code.builtinCode} operators (first: "${name}") are removed, and their ranges used instead of calibrated ones`,
      where: name,
    },
  ]
}

/** Some converters write the ranges on the tensors at once. */
function statedFinding(model: TflModel): Finding[] {
  const stated = model.subgraphs.flatMap(({ tensors }) =>
    tensors.filter(
      ({ type, quantization }) =>
        type === 'FLOAT32' && quantization?.min?.length === 1 && !quantization.scale?.length,
    ),
  )
  const [first] = stated
  if (first === undefined) return []
  return [
    {
      code: 'ranges-in-source',
      severity: 'info',
      message: `${stated.length} float tensors of the source carry ranges (first: "${first.name}"): they are used instead of calibrated ones`,
      where: first.name ?? '',
    },
  ]
}
