import { promisify } from 'node:util'
import { constants, deflateRaw } from 'node:zlib'
import type { Digest } from '../../shared/digest.ts'
import { Lru } from '../../shared/lru.ts'
import { allocateBlockFrame, printPackedFrames } from '../../shared/messages/index.ts'
import type { PlannedBlock } from './block-plan.ts'
import type { OpenArtifact } from './open-artifacts.ts'

const deflate = promisify(deflateRaw)

/** Deflated blocks that did not get smaller, one after another, after which an artifact is not deflated any more. */
const MOST_MISSES = 4
/** Of a block must be saved, for a device to inflate it: eight bits save a fifth, float32 a twelfth (docs/scale.md). */
const LEAST_SAVED = 0.1
const MOST_ARTIFACTS = 256

/** What deflating did to blocks of an artifact so far. */
interface Tries {
  /** One after another. */
  misses: number
  /** Whether the last that was tried got smaller. */
  pays: boolean
  underWay: number
}

/** How a device takes blocks. */
export interface Wrapping {
  readonly isPacked: boolean
  /** Most bytes of a packed block in one message. */
  readonly pieceBytes: number
}

interface Kept {
  readonly frames: Promise<readonly Buffer[]>
  readonly bytes: number
}

/**
 * Blocks as they are sent: read, deflated and framed once for all devices that want the same artifact at one time. What was
 * sent longest ago is forgotten first, so that memory is bounded whatever is wanted.
 */
export class FramedBlocks {
  readonly #most: number
  readonly #kept = new Map<string, Kept>()
  readonly #tries = new Lru<Digest, Tries>(MOST_ARTIFACTS)
  #bytes = 0

  /** @param most bytes of blocks to keep */
  constructor(most: number) {
    this.#most = most
  }

  /** Rejects where the file cannot be read; then it is read anew by whoever asks next. */
  frames(
    artifact: Digest,
    planned: PlannedBlock,
    file: OpenArtifact,
    wrapping: Wrapping,
  ): Promise<readonly Buffer[]> {
    const key = `${artifact}/${planned.index}/${wrapping.isPacked}`
    const known = this.#kept.get(key)
    const kept = known ?? {
      frames: this.#frame(artifact, planned, file, wrapping),
      bytes: planned.bytes,
    }
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    if (known === undefined) {
      this.#bytes += kept.bytes
      kept.frames.catch(() => this.#forget(key, kept))
      this.#trim()
    }
    return kept.frames
  }

  async #frame(
    artifact: Digest,
    { index, position, bytes }: PlannedBlock,
    file: OpenArtifact,
    { isPacked, pieceBytes: most }: Wrapping,
  ): Promise<readonly Buffer[]> {
    const { frame, block } = allocateBlockFrame(artifact, index, bytes)
    await file.readInto(block, position)
    const deflated = isPacked ? await this.#deflated(artifact, block) : undefined
    if (deflated) return printPackedFrames(artifact, index, deflated, { isDeflated: true, most })
    if (!isPacked || bytes <= most) return [frame]
    return printPackedFrames(artifact, index, block, { isDeflated: false, most })
  }

  /** Until it is seen to pay one block is tried at a time: nobody waits for what may come to nothing. */
  async #deflated(artifact: Digest, block: Buffer): Promise<Buffer | undefined> {
    const tries = this.#tries.get(artifact) ?? { misses: 0, pays: false, underWay: 0 }
    this.#tries.set(artifact, tries)
    if (tries.misses >= MOST_MISSES || (!tries.pays && tries.underWay > 0)) return undefined
    tries.underWay += 1
    try {
      const deflated = await deflate(block, { level: constants.Z_BEST_SPEED })
      tries.pays = deflated.length < block.length * (1 - LEAST_SAVED)
      tries.misses = tries.pays ? 0 : tries.misses + 1
      return tries.pays ? deflated : undefined
    } finally {
      tries.underWay -= 1
    }
  }

  #trim(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#bytes <= this.#most) return
      this.#forget(key, kept)
    }
  }

  #forget(key: string, kept: Kept): void {
    if (this.#kept.get(key) !== kept) return
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
  }
}
