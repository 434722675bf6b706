import type { AnyScalar } from '../../../../../planner/formats/tflite/codec/schema/scalars.ts'
import {
  type Field,
  type TableName,
  type Tree,
  tables,
} from '../../../../../planner/formats/tflite/codec/schema/schema.ts'
import type { TflModel } from '../../../../../planner/formats/tflite/index.ts'
import { below, type Random } from '../random.ts'

/** How the optional parts of a table are filled. */
export type Filling = 'full' | 'empty' | 'absent'

/** Fields of the file that the model shows in another form; storage.test.ts covers those. */
const FILE_ONLY = new Set([
  'OperatorCode.deprecatedBuiltinCode',
  'Buffer.offset',
  'Buffer.size',
  'Operator.largeCustomOptionsOffset',
  'Operator.largeCustomOptionsSize',
])

export function isInModel(table: string, field: string): boolean {
  return !FILE_ONLY.has(`${table}.${field}`)
}

/**
 * Trees with every table, field and union member of the schema: each vector of tables holds one
 * element of each filling, and one per member of each union its table has.
 */
export class KitchenSink {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  model(): TflModel {
    return this.table('Model', 'full') as unknown as TflModel
  }

  table(name: TableName, filling: Filling, member = 1): Tree {
    const entries = tables[name].fields
      .filter((field) => isInModel(name, field.name))
      .map((field) => [field.name, this.#field(field, filling, member)])
    return Object.fromEntries(entries) as Tree
  }

  #field(field: Field, filling: Filling, member: number): unknown {
    const { type } = field
    if (field.vector) return this.#vector(field, filling)
    if (type.kind === 'scalar') {
      return filling === 'full' ? this.#scalar(type.scalar, field.default) : field.default
    }
    if (type.kind === 'enum') {
      const others = type.enum.names.filter((name) => name !== field.default)
      return filling === 'full' && others.length > 0 ? this.#pick(others) : field.default
    }
    if (filling === 'absent') return null
    if (type.kind === 'string') return filling === 'full' ? this.#text() : ''
    if (type.kind === 'table') return this.table(type.table, filling, member)
    const name = type.union.members[member % type.union.members.length] as TableName
    return member % type.union.members.length === 0
      ? null
      : { type: name, ...this.table(name, filling) }
  }

  #vector(field: Field, filling: Filling): unknown {
    const { type } = field
    if (filling === 'absent') return field.emptyWhenAbsent ? [] : null
    if (type.kind === 'scalar') return this.#scalars(type.scalar, filling)
    if (filling === 'empty') return []
    if (type.kind === 'enum') return [...type.enum.names]
    if (type.kind !== 'table') return [this.#text(), '']
    const { table } = type
    const members = membersBelow(table)
    const full = Array.from({ length: members }, (_, at) => this.table(table, 'full', at + 1))
    return [...full, this.table(table, 'empty'), this.table(table, 'absent')]
  }

  #scalars(scalar: AnyScalar, filling: Filling): unknown {
    const length = filling === 'empty' ? 0 : 1 + below(this.#random, 9)
    const values = Array.from({ length }, () => this.#scalar(scalar, undefined))
    return scalar.packed ? scalar.array.from(values) : values
  }

  /** Any value of the type but `not`; extremes often. */
  #scalar(scalar: AnyScalar, not: unknown): unknown {
    for (;;) {
      const value = this.#anyScalar(scalar)
      if (value !== not) return value
    }
  }

  #anyScalar(scalar: AnyScalar): unknown {
    if (typeof scalar.zero === 'boolean') return this.#random() < 0.5
    const bits = BigInt(8 * scalar.size)
    const raw =
      this.#random() < 0.3
        ? this.#pick([0n, 1n, 2n ** (bits - 1n), 2n ** (bits - 1n) - 1n, 2n ** bits - 1n])
        : BigInt.asUintN(Number(bits), BigInt(Math.floor(this.#random() * 2 ** 53)) * 4093n)
    const signed = BigInt.asIntN(Number(bits), raw)
    if (scalar.array === (Float32Array as unknown)) return Math.fround(this.#random() * 100 - 50)
    if (typeof scalar.zero === 'bigint') return scalar.fits(signed) ? signed : raw
    return scalar.fits(Number(signed)) ? Number(signed) : Number(raw)
  }

  #text(): string {
    return Array.from({ length: 1 + below(this.#random, 12) }, () =>
      this.#pick(['a', 'Z', '/', ' ', 'ß', '層', '🤖', '\u0000', '\ufeff']),
    ).join('')
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[below(this.#random, items.length)] as Item
  }
}

/** The most members that a union of the table, or of tables it holds one of, has. */
function membersBelow(name: TableName): number {
  const counts = tables[name].fields.map(({ type, vector }) => {
    if (type.kind === 'union') return type.union.members.length - 1
    return type.kind === 'table' && !vector ? membersBelow(type.table) : 1
  })
  return Math.max(1, ...counts)
}
