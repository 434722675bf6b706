import type { ElementType } from '../../tensors.ts'

/** `ov_element_type_e` of OpenVINO 2026 (openvino/c/ov_common.h). */
const CODES: Readonly<Record<ElementType, number>> = {
  bool: 1,
  float16: 3,
  float32: 4,
  float64: 5,
  int8: 7,
  int16: 8,
  int32: 9,
  int64: 10,
  uint8: 16,
  uint16: 17,
  uint32: 18,
  uint64: 19,
}

/** Until 2025 the enumeration began with a type "undefined". */
const SHIFTS = [0, 1]

export interface ElementTypes {
  codeOf(type: ElementType): number
  typeOf(code: number): ElementType | undefined
}

/**
 * The numbers of a library, which does not tell them: those whose elements have the right sizes.
 * @param bytesOf bytes of one element of a type, by its number
 */
export function elementTypes(
  bytesOf: (code: number) => number,
  sizes: Readonly<Record<ElementType, number>>,
): ElementTypes | undefined {
  const entries = Object.entries(CODES) as [ElementType, number][]
  const shift = SHIFTS.find((by) =>
    entries.every(([type, code]) => bytesOf(code + by) === sizes[type]),
  )
  if (shift === undefined) return undefined
  const types = new Map(entries.map(([type, code]) => [code + shift, type]))
  return { codeOf: (type) => CODES[type] + shift, typeOf: (code) => types.get(code) }
}
