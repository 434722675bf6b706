/** Counts as base64 of LEB128 numbers: most take one or two bytes, where JSON takes four or five. */
export function packCounts(counts: readonly number[]): string {
  const bytes: number[] = []
  for (let count of counts) {
    // Not by bits: counts go beyond 32.
    while (count >= 128) {
      bytes.push((count % 128) + 128)
      count = Math.floor(count / 128)
    }
    bytes.push(count)
  }
  return Buffer.from(bytes).toString('base64')
}

export function unpackCounts(text: string): number[] {
  const counts: number[] = []
  let value = 0
  let scale = 1
  for (const byte of Buffer.from(text, 'base64')) {
    value += (byte % 128) * scale
    scale *= 128
    if (byte >= 128) continue
    counts.push(value)
    value = 0
    scale = 1
  }
  return counts
}
