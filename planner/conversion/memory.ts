import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/**
 * Gives the memory of arrays back that nobody holds any longer. V8 would do so some time, as their few objects are next to
 * nothing in its heap; a runtime that loads a large model beside them cannot wait. Takes milliseconds.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}

/** The same bytes in memory that a runtime's thread reads as well: others are copied twice on their way to it. */
export function betweenThreads(bytes: Uint8Array): Uint8Array {
  const both = new Uint8Array(new SharedArrayBuffer(bytes.length))
  both.set(bytes)
  return both
}
