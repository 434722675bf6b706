import { parseScheme } from '../../shared/schemes.ts'
import { MODEL_FORMATS } from '../formats/index.ts'
import { operatorName, readTflite } from '../formats/tflite/index.ts'
import { quantizeAsLearnt } from '../quantizer/index.ts'

/** What became of codes that the source computes with. */
export interface OnIntegers {
  readonly bytes: Uint8Array
  /** Operators on integers, and all that compute on real numbers. */
  readonly operators: { readonly integer: number; readonly total: number }
}

/**
 * A .tflite that rounds to codes and turns back around kernels in float, as a QuantizeLinear–DequantizeLinear source
 * becomes, with integer kernels and the same scales instead. Null where the file rounds nothing, or no kernel takes it.
 */
export async function onIntegers(model: Uint8Array): Promise<OnIntegers | null> {
  const codes = roundedTo(model)
  if (codes.length === 0) return null
  const wide = codes.every((type) => type === 'INT16')
  const scheme = parseScheme(wide ? 'static-w8a16' : 'static-w8a8')
  return await quantizeAsLearnt({ model, target: 'litert', formats: MODEL_FORMATS, scheme })
}

/** Types of what QUANTIZE makes of real numbers. */
function roundedTo(bytes: Uint8Array): string[] {
  const model = readTflite(bytes)
  return model.subgraphs.flatMap(({ operators, tensors }) =>
    operators
      .filter((operator) => operatorName(model, operator) === 'QUANTIZE')
      .map(({ outputs }) => tensors[outputs[0] ?? -1]?.type ?? ''),
  )
}
