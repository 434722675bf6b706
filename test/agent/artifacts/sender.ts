import type { BlockSource } from '../../../agent/artifacts/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import {
  type ArtifactRef,
  BLOCK_BYTES,
  type BlockFrame,
  blockCount,
  framePrefix,
  type Want,
  wantedBlocks,
} from '../../../shared/messages/index.ts'

/** What becomes of a block on its way: frames to deliver, none for a lost one. */
export type Way = (frame: BlockFrame, times: number) => readonly BlockFrame[]

const STRAIGHT: Way = (frame) => [frame]

/** Sends what is asked for, a moment later, over a way that may do anything with it. */
export class Sender implements BlockSource {
  readonly wants: Want[] = []
  readonly #files = new Map<string, Buffer>()
  readonly #blockListeners = new Map<string, (frame: BlockFrame) => void>()
  readonly #connectListeners = new Set<() => void>()
  readonly #sent = new Map<string, number>()
  way: Way = STRAIGHT
  connected = true
  /** Blocks sent, repeats included; block lists not counted. */
  blocks = 0
  readonly #lists = new Set<string>()

  offer(bytes: Buffer, list: Buffer = listOf(bytes)): ArtifactRef {
    const ref = { digest: digestOf(bytes), bytes: bytes.length, blockList: digestOf(listOf(bytes)) }
    this.#files.set(ref.digest, bytes)
    this.#files.set(ref.blockList, list)
    this.#lists.add(ref.blockList)
    return ref
  }

  want(want: Want): void {
    this.wants.push(want)
    const file = this.#files.get(want.artifact)
    if (!file || !this.connected) return
    for (const index of wantedBlocks(want)) {
      const bytes = file.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)
      const key = `${want.artifact}/${index}`
      const times = (this.#sent.get(key) ?? 0) + 1
      this.#sent.set(key, times)
      if (!this.#lists.has(want.artifact)) this.blocks += 1
      for (const frame of this.way({ prefix: framePrefix(want.artifact), index, bytes }, times)) {
        setImmediate(() => this.#blockListeners.get(frame.prefix)?.(frame))
      }
    }
  }

  onBlocks(artifact: string, listener: (frame: BlockFrame) => void): () => void {
    this.#blockListeners.set(framePrefix(artifact), listener)
    return () => this.#blockListeners.delete(framePrefix(artifact))
  }

  onConnected(listener: () => void): () => void {
    this.#connectListeners.add(listener)
    return () => this.#connectListeners.delete(listener)
  }

  reconnect(): void {
    this.connected = true
    for (const listener of this.#connectListeners) listener()
  }
}

function listOf(bytes: Buffer): Buffer {
  return Buffer.concat(
    Array.from({ length: blockCount(bytes.length) }, (_, index) => {
      const block = bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)
      return Buffer.from(digestOf(block), 'hex')
    }),
  )
}
