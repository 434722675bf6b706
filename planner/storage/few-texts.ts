/**
 * A list of values is part of a statement's text, and statements stay compiled by their texts (`sqlite.ts`): batches of every
 * size would each be compiled anew. So lists have few lengths.
 */

/** Longer lists are rare, and a statement has room for so many values. */
const LONGEST = 1024

/** The same values; the last one again and again, up to a power of two. For `in`, which asks whether, not how often. */
export function filledUp<T>(values: Iterable<T>): T[] {
  const list = [...values]
  const last = list.at(-1)
  while (last !== undefined && list.length < LONGEST && !isPowerOfTwo(list.length)) list.push(last)
  return list
}

/** All in their order, in pieces of at most `most`, a power of two: each as long as a smaller one may be, too. */
export function* inPieces<T>(rows: readonly T[], most: number): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; ) {
    let size = most
    while (size > rows.length - from) size /= 2
    yield rows.slice(from, from + size)
    from += size
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0
}
