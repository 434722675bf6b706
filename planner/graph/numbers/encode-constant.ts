import type { GraphConstant } from '../graph.ts'
import { encode } from './encode.ts'
import type { AffineParameters, Form } from './forms.ts'

interface Known {
  readonly type: Form['type']
  readonly parameters: AffineParameters
  readonly bytes: Uint8Array
}

const KNOWN = new WeakMap<GraphConstant, Known>()

/**
 * `encode` of what a constant holds, which never changes: plans that give it the same parameters share the bytes, which
 * nobody may write to.
 */
export function encodeConstant(
  constant: GraphConstant,
  values: Float32Array,
  shape: readonly number[],
  form: Form,
): Uint8Array {
  if (!('parameters' in form)) return encode(values, shape, form)
  const { type, parameters } = form
  const known = KNOWN.get(constant)
  if (known?.type === type && known.parameters === parameters) return known.bytes
  const bytes = encode(values, shape, form)
  KNOWN.set(constant, { type, parameters, bytes })
  return bytes
}

/** The codes of a constant in int8. */
export function codesOfConstant(
  constant: GraphConstant,
  values: Float32Array,
  shape: readonly number[],
  form: Form,
): Int8Array {
  const { buffer, byteOffset, length } = encodeConstant(constant, values, shape, form)
  return new Int8Array(buffer, byteOffset, length)
}
