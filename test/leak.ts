/**
 * Bytes that `span` leaves resident: the least of `spans` growths, after one to warm up.
 * A leak grows in every span; a collector that waits and a heap that settles grow in some.
 */
export async function leakOf(span: () => Promise<unknown>, spans = 6): Promise<number> {
  await span()
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < spans; i++) {
    const before = process.memoryUsage().rss
    await span()
    least = Math.min(least, process.memoryUsage().rss - before)
  }
  return least
}
