import type { Case } from './case.ts'
import { ARITHMETIC, NORMALIZATIONS, REDUCTIONS, RESIZES } from './number-cases.ts'
import { CONVOLUTIONS, MATRICES } from './product-cases.ts'
import { SHAPES } from './shape-cases.ts'

export type { Case } from './case.ts'

/** At least one row for every operator that the importer knows. */
export const CASES: readonly Case[] = [
  ...CONVOLUTIONS,
  ...MATRICES,
  ...ARITHMETIC,
  ...NORMALIZATIONS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
]
