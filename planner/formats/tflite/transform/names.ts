import type { DraftSubgraph, DraftTensor } from '../draft.ts'

/**
 * Settles names after a change. Callers know the model's inputs and outputs by name, so those stay; a
 * tensor that shares a name with a new one, or is new itself, gets its type behind its name. Names
 * that the source has twice are the source's affair.
 */
export function settleNames(
  subgraph: DraftSubgraph,
  used: ReadonlySet<DraftTensor>,
  added: ReadonlySet<DraftTensor>,
): void {
  const edges = new Set([...subgraph.inputs, ...subgraph.outputs])
  const taken = new Set([...edges].map(nameOf))
  const newAtEdge = new Set([...edges].filter((tensor) => added.has(tensor)).map(nameOf))
  const inside = subgraph.tensors.filter((tensor) => used.has(tensor) && !edges.has(tensor))
  const kept = inside.filter((tensor) => !added.has(tensor) && !newAtEdge.has(nameOf(tensor)))
  for (const tensor of kept) taken.add(nameOf(tensor))
  const keptSet = new Set(kept)
  for (const tensor of inside) {
    if (keptSet.has(tensor)) continue
    const name = freeName(tensor, taken)
    taken.add(name)
    tensor.fields = { ...tensor.fields, name }
  }
}

function nameOf(tensor: DraftTensor): string {
  return tensor.fields.name ?? ''
}

function freeName(tensor: DraftTensor, taken: ReadonlySet<string>): string {
  const name = nameOf(tensor)
  if (!taken.has(name)) return name
  const typed = `${name}_${tensor.fields.type.toLowerCase()}`
  let candidate = typed
  for (let count = 2; taken.has(candidate); count += 1) candidate = `${typed}_${count}`
  return candidate
}
