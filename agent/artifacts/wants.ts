import type { Digest } from '../../shared/digest.ts'
import { newId } from '../../shared/ids.ts'
import { BLOCK_BYTES, MAX_WINDOW, printMissing, type Want } from '../../shared/messages/index.ts'

/**
 * Requests for these blocks. Each asks only for blocks that no earlier request of the same connection
 * is still owed, so the credits of all of them add up to the window.
 */
export function wantsFor(artifact: Digest, blocks: readonly number[]): Want[] {
  const sorted = [...blocks].sort((a, b) => a - b)
  const wants: Want[] = []
  let start = 0
  while (start < sorted.length) {
    const from = sorted[start] as number
    let end = start + 1
    while (end < sorted.length && (sorted[end] as number) < from + MAX_WINDOW) end += 1
    const part = sorted.slice(start, end)
    wants.push({
      v: 1,
      id: newId(),
      artifact,
      from,
      missing: printMissing(from, part),
      credit: part.length * BLOCK_BYTES,
    })
    start = end
  }
  return wants
}
