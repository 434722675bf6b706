import type { Digest } from '../../shared/digest.ts'
import type { BlockFrame, Want } from '../../shared/messages/index.ts'

/** The way to the planner, as far as downloads see it. `agent/link` is one. */
export interface BlockSource {
  readonly connected: boolean
  /** Best effort: a request that is lost is repeated by whoever waits for the blocks. */
  want(want: Want): void
  /** Frames that carry this artifact's prefix. Answers how to stop listening. */
  onBlocks(artifact: Digest, listener: (frame: BlockFrame) => void): () => void
  /** Called at every new connection: what was asked on the last one will not come. */
  onConnected(listener: () => void): () => void
}

/** Closed while a measurement runs, which downloads would disturb. */
export interface Gate {
  readonly open: boolean
  onOpen(listener: () => void): () => void
}

export const OPEN_GATE: Gate = { open: true, onOpen: () => () => {} }

/** Resolves once it is open, or the signal is aborted. */
export async function whenOpen(gate: Gate, signal: AbortSignal): Promise<void> {
  while (!gate.open && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const close = gate.onOpen(done)
      signal.addEventListener('abort', done)
      function done(): void {
        close()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }
}

/** Monotonic milliseconds: a clock that jumps moves no deadline. */
export type Monotonic = () => number
