import type { Digest } from '../../shared/digest.ts'
import { allocateBlockFrame } from '../../shared/messages/index.ts'
import type { PlannedBlock } from './block-plan.ts'
import type { OpenArtifact } from './open-artifacts.ts'

/**
 * Blocks as they are sent: read and framed once for all devices that want the same artifact at one time. What was sent
 * longest ago is forgotten first, so that memory is bounded whatever is wanted.
 */
export class FramedBlocks {
  readonly #most: number
  readonly #kept = new Map<string, { readonly framed: Promise<Buffer>; readonly bytes: number }>()
  #bytes = 0

  /** @param most bytes of blocks to keep */
  constructor(most: number) {
    this.#most = most
  }

  /** Rejects where the file cannot be read; then it is read anew by whoever asks next. */
  frame(artifact: Digest, planned: PlannedBlock, file: OpenArtifact): Promise<Buffer> {
    const key = `${artifact}/${planned.index}`
    const known = this.#kept.get(key)
    const { framed, bytes } = known ?? {
      framed: readFrame(artifact, planned, file),
      bytes: planned.bytes,
    }
    this.#kept.delete(key)
    this.#kept.set(key, { framed, bytes })
    if (known === undefined) {
      this.#bytes += bytes
      framed.catch(() => this.#forget(key, framed))
      this.#trim()
    }
    return framed
  }

  #trim(): void {
    for (const [key, { framed }] of this.#kept) {
      if (this.#bytes <= this.#most) return
      this.#forget(key, framed)
    }
  }

  #forget(key: string, framed: Promise<Buffer>): void {
    const kept = this.#kept.get(key)
    if (kept?.framed !== framed) return
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
  }
}

async function readFrame(
  artifact: Digest,
  { index, position, bytes }: PlannedBlock,
  file: OpenArtifact,
): Promise<Buffer> {
  const { frame, block } = allocateBlockFrame(artifact, index, bytes)
  await file.readInto(block, position)
  return frame
}
