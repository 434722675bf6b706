import { below, pick, type Random } from '../random.ts'

/** Ways in which files get damaged, by accident and on purpose. Each returns a changed copy. */
export const MUTATIONS = {
  flipBytes(random: Random, file: Uint8Array): Uint8Array {
    const bytes = file.slice()
    for (let count = 1 + below(random, 8); count > 0; count -= 1) {
      bytes[spot(random, bytes.length)] = below(random, 256)
    }
    return bytes
  },
  truncate(random: Random, file: Uint8Array): Uint8Array {
    return file.slice(0, below(random, file.length))
  },
  overwriteOffset(random: Random, file: Uint8Array): Uint8Array {
    const bytes = file.slice()
    const view = new DataView(bytes.buffer)
    for (let count = 1 + below(random, 3); count > 0; count -= 1) {
      const position = spot(random, bytes.length - 4) & ~3
      view.setUint32(position, pick(random, extremes(bytes.length, position)) >>> 0, true)
    }
    return bytes
  },
  swapBlocks(random: Random, file: Uint8Array): Uint8Array {
    const bytes = file.slice()
    const size = 1 + below(random, Math.min(64, bytes.length / 2))
    const [from, to] = [spot(random, bytes.length - size), spot(random, bytes.length - size)]
    bytes.set(file.subarray(from, from + size), to)
    bytes.set(file.subarray(to, to + size), from)
    return bytes
  },
} as const

export type MutationName = keyof typeof MUTATIONS

/** Structure lies at both ends of a file, weights in between: half of the hits go to the ends. */
function spot(random: Random, length: number): number {
  const ends = Math.min(length, 1024)
  const chance = random()
  if (chance < 0.25) return below(random, ends)
  if (chance < 0.5) return length - 1 - below(random, ends)
  return below(random, length)
}

function extremes(length: number, position: number): number[] {
  return [0, 1, 4, 0x7f, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, length, length - position]
}
