import { BLOCK_BYTES, type Want, wantedBlocks } from '../../shared/messages/index.ts'

export interface PlannedBlock {
  readonly index: number
  readonly position: number
  readonly bytes: number
}

/** Which blocks answer a want, in order: those that exist, while they fit the credit. */
export function planBlocks(want: Want, artifactBytes: number): readonly PlannedBlock[] {
  const planned: PlannedBlock[] = []
  let credit = want.credit
  for (const index of wantedBlocks(want)) {
    const position = index * BLOCK_BYTES
    const bytes = Math.min(BLOCK_BYTES, artifactBytes - position)
    if (bytes <= 0 || bytes > credit) break
    credit -= bytes
    planned.push({ index, position, bytes })
  }
  return planned
}
