import type { FlatTable } from './flat-table.ts'

/** Field numbers of `OperatorCode` in schema.fbs. */
export const CODE = { deprecated: 0, customCode: 1, version: 2, builtin: 3 }

/** Old files have the code in one byte, new ones in the larger of both fields. */
export function builtinOf(code: FlatTable): number {
  return Math.max(code.uint8(CODE.deprecated), code.uint32(CODE.builtin))
}
