import type { Row } from '../../onnx/small-onnx.ts'

/** A value of the graph under construction. */
export interface Value {
  readonly name: string
  readonly shape: readonly number[]
}

/** One way on from a value; null where it does not fit its shape. */
export type Step = (from: Value, make: Maker) => Value | null

export const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** A graph under construction: what is there so far, and choices drawn at random. */
export class Maker {
  readonly rows: Row[] = []
  readonly constants: Record<string, readonly number[] | Float32Array | BigInt64Array> = {}
  readonly values: Value[] = []
  readonly #random: () => number
  #count = 0

  constructor(random: () => number) {
    this.#random = random
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T
  }

  below(bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  fresh(word: string): string {
    this.#count += 1
    return `${word}${this.#count}`
  }

  constant(value: readonly number[] | Float32Array | BigInt64Array): string {
    const name = this.fresh('c')
    this.constants[name] = value
    return name
  }

  node(
    opType: string,
    inputs: readonly string[],
    shape: readonly number[],
    attributes: Row[3] = {},
  ): Value {
    const name = this.fresh('v')
    this.rows.push([opType, inputs, [name], attributes])
    const value = { name, shape }
    this.values.push(value)
    return value
  }

  /** Another value of the same shape, or the same. */
  twin(of: Value): Value {
    return this.pick(this.values.filter((one) => one.shape.join() === of.shape.join()))
  }
}
