import type { Draft } from '../draft.ts'
import { minimumRelease } from '../releases.ts'

const KEY = 'min_runtime_version'

/** Length the runtimes' own tools reserve for it, NUL-padded. */
const LENGTH = 16

/** Writes into the model the oldest runtime release that runs it, as converters do. */
export function noteRelease(draft: Draft): void {
  const operators = draft.subgraphs.flatMap((subgraph) => subgraph.operators)
  const release = minimumRelease(operators.map((operator) => operator.code))
  if (release === null) return
  const data = new Uint8Array(LENGTH)
  data.set(new TextEncoder().encode(release).subarray(0, LENGTH))
  const others = draft.metadata.filter(({ entry }) => entry.name !== KEY)
  draft.metadata = [{ entry: { name: KEY, buffer: 0 }, data }, ...others]
}
