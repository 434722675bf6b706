import type { LoweringRow } from '../lowering.ts'
import { ACTIVATIONS } from './activations.ts'
import { ARITHMETIC } from './arithmetic.ts'
import { ATTENTION } from './attention.ts'
import { CONVOLUTIONS } from './convolutions.ts'
import { EINSUM } from './einsum.ts'
import { GATHERS } from './gathers.ts'
import { GRID_SAMPLE } from './grid-sample.ts'
import { MATRICES } from './matrices.ts'
import { NORMALIZATIONS } from './normalizations.ts'
import { PADS } from './pads.ts'
import { POOLS } from './pools.ts'
import { QUANTIZATION } from './quantization.ts'
import { RECURRENT } from './recurrent.ts'
import { REDUCTIONS } from './reductions.ts'
import { RESIZES } from './resizes.ts'
import { ROTARY } from './rotary.ts'
import { SHAPES } from './shapes.ts'
import { SLICES } from './slices.ts'

/** Every operator that has a .tflite form, and how to say it; of other domains than the standard one with the domain before the name. */
export const LOWERINGS: Readonly<Record<string, LoweringRow>> = {
  ...CONVOLUTIONS,
  ...POOLS,
  ...MATRICES,
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...NORMALIZATIONS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
  ...SLICES,
  ...PADS,
  ...GATHERS,
  ...EINSUM,
  ...GRID_SAMPLE,
  ...ATTENTION,
  ...ROTARY,
  ...RECURRENT,
  ...QUANTIZATION,
}
