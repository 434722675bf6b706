import { z } from 'zod'
import { BLOCK_BYTES } from '../artifact.ts'
import { digestSchema } from '../digest-schema.ts'
import { invariant } from '../errors.ts'
import { messageIdSchema } from '../ids.ts'

/** Blocks one request may ask for: the credit window. */
export const MAX_WINDOW = 64

/** agent → planner: send these blocks of this artifact, in this order, as credit allows. */
export const wantSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  artifact: digestSchema,
  /** First block of the window. */
  from: z
    .number()
    .int()
    .nonnegative()
    .max(2 ** 15),
  /** Base64 bitmap relative to `from`, least significant bit first: 1 = missing here. */
  missing: z
    .string()
    .max(16)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/),
  /** Bytes the agent is ready to take for this request. */
  credit: z
    .number()
    .int()
    .positive()
    .max(MAX_WINDOW * BLOCK_BYTES),
  /** Blocks may come deflated and in parts. */
  packed: z.boolean().optional(),
})
export type Want = z.infer<typeof wantSchema>

/** `missing` of a want that starts at `from`: every block lies in `from … from + MAX_WINDOW − 1`. */
export function printMissing(from: number, blocks: Iterable<number>): string {
  const bits = Buffer.alloc(MAX_WINDOW / 8)
  let used = 0
  for (const block of blocks) {
    const bit = block - from
    invariant(bit >= 0 && bit < MAX_WINDOW, 'a wanted block lies in the window')
    const byte = bit >> 3
    bits[byte] = (bits[byte] ?? 0) | (1 << (bit & 7))
    used = Math.max(used, byte + 1)
  }
  return bits.toString('base64', 0, used)
}

/** Blocks a want asks for, ascending; bits past the window are ignored. */
export function wantedBlocks(want: Pick<Want, 'from' | 'missing'>): number[] {
  const bits = Buffer.from(want.missing, 'base64')
  const blocks: number[] = []
  for (let bit = 0; bit < Math.min(bits.length * 8, MAX_WINDOW); bit += 1) {
    if (((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) blocks.push(want.from + bit)
  }
  return blocks
}
