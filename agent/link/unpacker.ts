import { inflateRawSync } from 'node:zlib'
import { BLOCK_BYTES, type BlockFrame, MAX_WINDOW } from '../../shared/messages/index.ts'

interface Gathered {
  readonly isDeflated: boolean
  readonly parts: (Uint8Array | undefined)[]
}

/** Blocks out of the frames that they were packed in. What it makes is held against the signed list as any block is. */
export class Unpacker {
  /** By artifact and index; those that are begun last stay. */
  readonly #gathered = new Map<string, Gathered>()

  /** The block, once all of it is here; `spoiled`: it was none. */
  take(frame: BlockFrame): BlockFrame | 'incomplete' | 'spoiled' {
    const { prefix, index, packing } = frame
    if (packing === undefined) return frame
    const whole = packing.parts === 1 ? frame.bytes : this.#gather(frame, packing)
    if (whole === undefined) return 'incomplete'
    if (!packing.isDeflated) {
      return whole.length <= BLOCK_BYTES ? { prefix, index, bytes: whole } : 'spoiled'
    }
    try {
      return { prefix, index, bytes: inflateRawSync(whole, { maxOutputLength: BLOCK_BYTES }) }
    } catch {
      return 'spoiled'
    }
  }

  forget(): void {
    this.#gathered.clear()
  }

  #gather(
    { prefix, index, bytes }: BlockFrame,
    { isDeflated, part, parts }: NonNullable<BlockFrame['packing']>,
  ): Uint8Array | undefined {
    const key = `${prefix}/${index}`
    const known = this.#gathered.get(key)
    const isSame = known?.isDeflated === isDeflated && known.parts.length === parts
    const gathered = isSame ? known : { isDeflated, parts: new Array(parts).fill(undefined) }
    gathered.parts[part] = bytes
    this.#gathered.set(key, gathered)
    const here = gathered.parts.filter((one) => one !== undefined)
    if (here.length === parts) {
      this.#gathered.delete(key)
      return Buffer.concat(here)
    }
    const [oldest] = this.#gathered.keys()
    if (this.#gathered.size > MAX_WINDOW && oldest !== undefined) this.#gathered.delete(oldest)
    return undefined
  }
}
