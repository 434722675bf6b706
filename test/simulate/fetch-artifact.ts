import { createHash } from 'node:crypto'
import { BLOCK_BYTES } from '../../shared/artifact.ts'
import { newId } from '../../shared/ids.ts'
import {
  type BlockFrame,
  framePrefix,
  printMissing,
  type Want,
} from '../../shared/messages/index.ts'

/** Blocks asked for at a time, as agents ask. */
const WINDOW = 16
const REPEAT_MS = 5_000

/** One artifact on its way to one device: wants go out, blocks come in, and its digest says whether it is right. */
export class Fetch {
  readonly digest: string
  readonly #bytes: Buffer
  readonly #missing: Set<number>
  readonly #want: (want: Want) => void
  readonly #done: (isRight: boolean) => void
  #asked = new Set<number>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    artifact: { readonly digest: string; readonly bytes: number },
    want: (want: Want) => void,
    done: (isRight: boolean) => void,
  ) {
    this.digest = artifact.digest
    this.#bytes = Buffer.alloc(artifact.bytes)
    this.#missing = new Set(
      Array.from({ length: Math.ceil(artifact.bytes / BLOCK_BYTES) }, (_, i) => i),
    )
    this.#want = want
    this.#done = done
    this.#ask()
  }

  take({ prefix, index, bytes }: BlockFrame): void {
    if (prefix !== framePrefix(this.digest) || !this.#missing.delete(index)) return
    this.#bytes.set(bytes, index * BLOCK_BYTES)
    this.#asked.delete(index)
    if (this.#missing.size === 0) {
      clearTimeout(this.#timer)
      this.#done(createHash('sha256').update(this.#bytes).digest('hex') === this.digest)
    } else if (this.#asked.size === 0) this.#ask()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #ask(): void {
    clearTimeout(this.#timer)
    const blocks = [...this.#missing].sort((a, b) => a - b)
    const from = blocks[0] ?? 0
    const window = blocks.filter((block) => block < from + WINDOW)
    this.#asked = new Set(window)
    const missing = printMissing(from, window)
    const credit = window.length * BLOCK_BYTES
    this.#want({ v: 1, id: newId(), artifact: this.digest, from, missing, credit })
    this.#timer = setTimeout(() => this.#ask(), REPEAT_MS)
  }
}
