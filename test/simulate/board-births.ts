import type { Birth } from '../../shared/messages/index.ts'

/** What a board's devices say of it, and all of them the same. */
export type BoardFacts = Pick<Birth, 'report' | 'runtimes'>

/** Births of one board's devices, as `printMessage` prints them: what they share, which is most of each, is printed once. */
export class BoardBirths {
  readonly facts: BoardFacts
  readonly #shared: Buffer

  constructor(facts: BoardFacts) {
    this.facts = facts
    const printed = Buffer.from(JSON.stringify(facts))
    this.#shared = printed.subarray(1)
  }

  print(own: Omit<Birth, keyof BoardFacts>): Buffer {
    return Buffer.concat([Buffer.from(`${JSON.stringify(own).slice(0, -1)},`), this.#shared])
  }
}
