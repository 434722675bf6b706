import { fromHalf } from '../../../../../shared/half.ts'
import { ImportError } from '../errors.ts'
import type { Lowering } from '../lowering.ts'
import { ARITHMETIC } from './arithmetic.ts'
import { CONVOLUTIONS } from './convolutions.ts'
import { MATRICES } from './matrices.ts'
import { NORMALIZATIONS } from './normalizations.ts'
import { REARRANGEMENTS } from './rearrangements.ts'
import { REDUCTIONS } from './reductions.ts'
import { RESIZES } from './resizes.ts'
import { SHAPES } from './shapes.ts'

/** float16 constants of a half-precision file come back as float32; any other DEQUANTIZE means integers. */
const dequantizeHalf: Lowering = ({ inputs, outputs }, graph) => {
  const [source = -1, target = -1] = [inputs[0], outputs[0]]
  const halves = graph.typeOf(source) === 'float16' ? graph.constant(source) : null
  if (halves === null) {
    throw new ImportError('unsupported-model', 'DEQUANTIZE of computed values has no float form')
  }
  const floats = Float32Array.from(halves as Uint16Array, fromHalf)
  const name = graph.constantValue(
    graph.tensor(target).name ?? 'half',
    'float32',
    graph.shapeOf(source),
    floats,
  )
  graph.alias(target, 'native', name)
}

/** Every operator that has an ONNX form, and how to say it. */
export const LOWERINGS: Readonly<Record<string, Lowering>> = {
  ...CONVOLUTIONS,
  ...MATRICES,
  ...ARITHMETIC,
  ...NORMALIZATIONS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
  ...REARRANGEMENTS,
  DEQUANTIZE: dequantizeHalf,
}
