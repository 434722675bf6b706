import type { Graph } from '../../graph/index.ts'

/** Bits per element where the name does not say; strings and the like have no fixed size. */
const BITS: Readonly<Record<string, number>> = { bool: 8, bfloat16: 16 }

/** Bytes of a file by the element type of its constants; `rest` is structure, names and everything else. */
export interface StorageShare {
  readonly type: string
  readonly bytes: number
}

/** Constants that share their bytes count once. Largest first, `rest` last. */
export function storageOf(graph: Graph, fileBytes: number): StorageShare[] {
  const seen = new Set<number>()
  const bytes = new Map<string, number>()
  for (const { type, shape, constant } of graph.tensors) {
    const bits = bitsOf(type)
    if (constant === null || bits === null || seen.has(constant.storage)) continue
    seen.add(constant.storage)
    const elements = (shape ?? []).reduce((product, dim) => product * dim, 1)
    bytes.set(type, (bytes.get(type) ?? 0) + Math.ceil((elements * bits) / 8))
  }
  const shares = [...bytes].map(([type, size]) => ({ type, bytes: size }))
  const known = shares.reduce((sum, share) => sum + share.bytes, 0)
  shares.sort((a, b) => b.bytes - a.bytes)
  return [...shares, { type: 'rest', bytes: Math.max(0, fileBytes - known) }]
}

/** `int8` → 8, `float8_e4m3fn` → 8, `complex64` → 64. */
function bitsOf(type: string): number | null {
  const digits = /^[a-z]+(\d+)/.exec(type)?.[1]
  return BITS[type] ?? (digits === undefined ? null : Number(digits))
}
