import { decode, INTEGER_LIMITS, type IntegerType } from '../../../graph/index.ts'
import { realNumbers } from '../constants.ts'
import type { Draft, DraftOperator, DraftSubgraph, DraftTensor } from '../draft.ts'
import { bytesOf, learn, replace } from './learnt-range.ts'

/** A tensor that is rounded to codes and turned back at once. */
interface Pair {
  readonly quantize: DraftOperator
  readonly dequantize: readonly DraftOperator[]
  readonly source: DraftTensor
  readonly codes: DraftTensor
}

/** Takes out QUANTIZE with the DEQUANTIZE behind it, and keeps what they say. @returns the ones taken out */
export function removePairs(subgraph: DraftSubgraph, draft: Draft): DraftOperator[] {
  // One after the other: what the next one reads may be what the last one gave back.
  return [...subgraph.operators].filter((operator) => {
    const pair = pairAt(operator, subgraph)
    return pair !== null && remove(pair, subgraph, draft)
  })
}

function pairAt(quantize: DraftOperator, subgraph: DraftSubgraph): Pair | null {
  const [source] = quantize.inputs
  const [codes] = quantize.outputs
  if (quantize.code.builtinCode !== 'QUANTIZE' || !source || !codes) return null
  if (source.fields.type !== 'FLOAT32' || subgraph.outputs.includes(codes)) return null
  const readers = subgraph.operators.filter(({ inputs }) => inputs.includes(codes))
  const turnBack = readers.every(
    ({ code, outputs }) =>
      code.builtinCode === 'DEQUANTIZE' && outputs[0]?.fields.type === 'FLOAT32',
  )
  return turnBack && readers.length > 0 ? { quantize, dequantize: readers, source, codes } : null
}

/** False where the codes are of a kind that ranges cannot say. */
function remove(pair: Pair, subgraph: DraftSubgraph, draft: Draft): boolean {
  const { quantize, dequantize, source, codes } = pair
  const form = formOf(codes)
  const values = source.data === null ? null : realNumbers(draft.model, source.fields)
  const several = (form?.parameters.scales.length ?? 0) > 1
  if (form === null || (values === null && several)) return false
  const gone = new Set([quantize, ...dequantize])
  subgraph.operators = subgraph.operators.filter((operator) => !gone.has(operator))
  const range = rangeOf(form)
  for (const { outputs } of dequantize) {
    const [output] = outputs
    if (!output) continue
    if (values === null) {
      learn(source, range)
      replace(output, source, subgraph, draft)
      continue
    }
    output.data = bytesOf(decode(values, source.fields.shape ?? [], form))
    // Files may declare what is made at run time as of no dimension.
    output.fields = { ...output.fields, shape: source.fields.shape, shapeSignature: null }
    if (!several) learn(output, range)
  }
  return true
}

const TYPES: Readonly<Record<string, IntegerType>> = {
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
}

function formOf({ fields }: DraftTensor) {
  const type = TYPES[fields.type]
  const { scale, zeroPoint, quantizedDimension } = fields.quantization ?? {}
  if (type === undefined || !scale?.length) return null
  const scales = Array.from(scale)
  const zeroPoints = scales.map((_, i) => Number(zeroPoint?.[i] ?? 0))
  return {
    type,
    parameters: { scales, zeroPoints, axis: scales.length > 1 ? (quantizedDimension ?? 0) : null },
  }
}

function rangeOf({ type, parameters }: NonNullable<ReturnType<typeof formOf>>) {
  const { min, max } = INTEGER_LIMITS[type]
  const [scale = 1] = parameters.scales
  const [zeroPoint = 0] = parameters.zeroPoints
  return { min: (min - zeroPoint) * scale, max: (max - zeroPoint) * scale }
}
