import type { TableValue, UnionMember } from './codec/schema/schema.ts'
import { TfliteError } from './errors.ts'
import type { TflModel, TflOperator, TflTensor, TflUnion } from './model.ts'
import { TENSOR_TYPES, type TensorArray, type TensorTypeName } from './tensor-types.ts'
import { NO_BUFFER } from './violations.ts'

/** `CONV_2D`, or the custom code where the operator is custom. */
export function operatorName(model: TflModel, operator: TflOperator): string {
  const code = model.operatorCodes[operator.opcodeIndex]
  if (code === undefined) return 'UNKNOWN'
  return code.builtinCode === 'CUSTOM' ? (code.customCode ?? 'CUSTOM') : code.builtinCode
}

/** Options tables of union BuiltinOptions and BuiltinOptions2. */
export type OptionsName = UnionMember<'BuiltinOptions' | 'BuiltinOptions2'>

/** The operator's options with the fields of table `name`, or null where it has other options or none. */
export function optionsOf<Name extends OptionsName>(
  operator: TflOperator,
  name: Name,
): (TflUnion & TableValue<Name>) | null {
  const options = [operator.builtinOptions, operator.builtinOptions2]
  const match = options.find((candidate) => candidate?.type === name)
  return (match as (TflUnion & TableValue<Name>) | undefined) ?? null
}

/**
 * Elements of a constant tensor, or null where it has no data in the file. A view of the file where
 * its alignment allows, else a copy: treat it as read-only and put a new array into the buffer instead.
 * @throws TfliteError `corrupt` where the bytes are no whole number of elements, `external-weights`
 * where they live in another file.
 */
export function constantOf(model: TflModel, tensor: TflTensor): TensorArray | null {
  const at = { file: 'model', place: `tensor ${tensor.name ?? ''}` }
  if ((tensor.externalBuffer ?? 0) !== 0) {
    throw new TfliteError('external-weights', at, 'its constant lives in another file')
  }
  const bytes = tensor.buffer === NO_BUFFER ? null : (model.buffers[tensor.buffer]?.data ?? null)
  if (bytes === null || bytes.length === 0) return null
  const { array } = TENSOR_TYPES[tensor.type as TensorTypeName]
  const size = array.BYTES_PER_ELEMENT
  if (bytes.length % size !== 0) {
    throw new TfliteError(
      'corrupt',
      at,
      `${bytes.length} bytes are no whole number of ${tensor.type} elements`,
    )
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / size)
}

/** A model that can be changed without touching this one. Byte data is shared: replace it, never write into it. */
export function cloneModel(model: TflModel): TflModel {
  return cloneValue(model) as TflModel
}

function cloneValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(cloneValue)
  if (value instanceof Float32Array || value instanceof BigInt64Array) return value.slice()
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, cloneValue(field)]))
}
