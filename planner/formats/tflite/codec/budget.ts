/**
 * Honest files spend each byte on one table, vector or string, give or take shared strings and
 * vectors. Offsets that all lead to the same place must not multiply a file into a huge tree.
 */
const DECODED_BYTES_PER_FILE_BYTE = 4
const FREE_BYTES = 4096
/** The offset that leads to a table or string. */
const OFFSET_BYTES = 4

/** What costs us many times its size in the file has a limit of its own, far above any real model. */
const LIMITS = {
  tables: 2 ** 20,
  /** Elements of vectors that become plain arrays. */
  elements: 2 ** 25,
  /** Bytes of one string. */
  'bytes of text': 2 ** 24,
} as const

export type Limited = keyof typeof LIMITS

/** Bounds what decoding a file may produce. Each method gives the reason to stop, or null. */
export class Budget {
  readonly #most: number
  readonly #spent: Record<Limited, number> = { tables: 0, elements: 0, 'bytes of text': 0 }
  #decoded = 0

  constructor(fileSize: number) {
    this.#most = DECODED_BYTES_PER_FILE_BYTE * fileSize + FREE_BYTES
  }

  bytes(count: number): string | null {
    this.#decoded += count
    if (this.#decoded <= this.#most) return null
    return 'its parts overlap: offsets lead to the same bytes again and again'
  }

  table(size: number): string | null {
    return this.bytes(size + OFFSET_BYTES) ?? this.#add('tables', 1)
  }

  elements(count: number): string | null {
    return this.#add('elements', count)
  }

  text(size: number): string | null {
    this.#spent['bytes of text'] = 0
    return this.bytes(size + OFFSET_BYTES) ?? this.#add('bytes of text', size)
  }

  #add(what: Limited, count: number): string | null {
    this.#spent[what] += count
    if (this.#spent[what] <= LIMITS[what]) return null
    return `more than ${LIMITS[what]} ${what}: no real model has that many`
  }
}
