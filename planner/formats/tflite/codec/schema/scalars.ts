import type { Builder, ByteBuffer } from 'flatbuffers'

type ArrayOf = {
  new (buffer: ArrayBuffer): ScalarArray
  from(values: readonly unknown[]): ScalarArray
}
export type ScalarArray =
  | Int8Array
  | Uint8Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array

interface Scalar<T> {
  size: 1 | 2 | 4 | 8
  zero: T
  /** Holds the elements of a vector; little-endian like the file, as every host Node runs on. */
  array: unknown
  /** A vector of this type stays a typed array in the model; otherwise it becomes a plain array. */
  packed: boolean
  read(buffer: ByteBuffer, position: number): T
  /** Adds a table field. */
  add(builder: Builder, value: T): void
  /** Whether the value can be stored without loss. */
  fits(value: unknown): boolean
}

const integer = (low: number, high: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high
const bigint = (low: bigint, high: bigint) => (value: unknown) =>
  typeof value === 'bigint' && value >= low && value <= high

/** Scalar types of the schema; 64-bit integers are bigint. */
export const SCALARS = {
  bool: {
    size: 1,
    zero: false,
    array: Uint8Array,
    packed: false,
    read: (buffer, position) => buffer.readUint8(position) !== 0,
    add: (builder, value) => builder.addInt8(Number(value)),
    fits: (value) => typeof value === 'boolean',
  } as const satisfies Scalar<boolean>,
  byte: {
    size: 1,
    zero: 0,
    array: Int8Array,
    packed: true,
    read: (buffer, position) => buffer.readInt8(position),
    add: (builder, value) => builder.addInt8(value),
    fits: integer(-0x80, 0x7f),
  } as const satisfies Scalar<number>,
  ubyte: {
    size: 1,
    zero: 0,
    array: Uint8Array,
    packed: true,
    read: (buffer, position) => buffer.readUint8(position),
    add: (builder, value) => builder.addInt8(value),
    fits: integer(0, 0xff),
  } as const satisfies Scalar<number>,
  ushort: {
    size: 2,
    zero: 0,
    array: Uint16Array,
    packed: true,
    read: (buffer, position) => buffer.readUint16(position),
    add: (builder, value) => builder.addInt16(value),
    fits: integer(0, 0xffff),
  } as const satisfies Scalar<number>,
  int: {
    size: 4,
    zero: 0,
    array: Int32Array,
    packed: false,
    read: (buffer, position) => buffer.readInt32(position),
    add: (builder, value) => builder.addInt32(value),
    fits: integer(-0x80000000, 0x7fffffff),
  } as const satisfies Scalar<number>,
  uint: {
    size: 4,
    zero: 0,
    array: Uint32Array,
    packed: false,
    read: (buffer, position) => buffer.readUint32(position),
    add: (builder, value) => builder.addInt32(value),
    fits: integer(0, 0xffffffff),
  } as const satisfies Scalar<number>,
  long: {
    size: 8,
    zero: 0n,
    array: BigInt64Array,
    packed: true,
    read: (buffer, position) => buffer.readInt64(position),
    add: (builder, value) => builder.addInt64(value),
    fits: bigint(-(2n ** 63n), 2n ** 63n - 1n),
  } as const satisfies Scalar<bigint>,
  ulong: {
    size: 8,
    zero: 0n,
    array: BigUint64Array,
    packed: true,
    read: (buffer, position) => buffer.readUint64(position),
    add: (builder, value) => builder.addInt64(BigInt.asIntN(64, value)),
    fits: bigint(0n, 2n ** 64n - 1n),
  } as const satisfies Scalar<bigint>,
  float: {
    size: 4,
    zero: 0,
    array: Float32Array,
    packed: true,
    read: (buffer, position) => buffer.readFloat32(position),
    add: (builder, value) => builder.addFloat32(value),
    fits: (value) => typeof value === 'number',
  } as const satisfies Scalar<number>,
}

export type ScalarName = keyof typeof SCALARS
export type ScalarValue<Name extends ScalarName> = ReturnType<(typeof SCALARS)[Name]['read']>
/** What a vector of the scalar is in the model. */
export type VectorValue<Name extends ScalarName> = (typeof SCALARS)[Name]['packed'] extends true
  ? InstanceType<(typeof SCALARS)[Name]['array']>
  : ScalarValue<Name>[]

export type AnyScalar = Scalar<boolean | number | bigint> & { array: ArrayOf }

export function scalarOf(name: ScalarName): AnyScalar {
  return SCALARS[name] as AnyScalar
}

export function isScalar(name: string): name is ScalarName {
  return Object.hasOwn(SCALARS, name)
}
