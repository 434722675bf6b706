import type { DraftSubgraph, DraftTensor } from '../draft.ts'
import { settleVersion } from '../transform/signatures.ts'
import { tidy } from './tidy.ts'

/** What a subgraph needs when all is lowered: fused, its tensors named apart, versions of its operators. */
export function settleSubgraph(subgraph: DraftSubgraph, named: ReadonlySet<DraftTensor>): void {
  tidy(subgraph)
  nameApart(subgraph, named)
  for (const operator of subgraph.operators) settleVersion(operator, null)
}

/** Runtimes find tensors by name: callers' names stay, others get a number where two are alike. */
function nameApart(
  { inputs, outputs, operators }: DraftSubgraph,
  named: ReadonlySet<DraftTensor>,
): void {
  const edges = new Set([...inputs, ...outputs])
  const taken = new Set([...edges].map(({ fields }) => fields.name))
  for (const tensor of named) taken.add(tensor.fields.name)
  const counts = new Map<string, number>()
  for (const { inputs, outputs } of operators) {
    for (const tensor of [...inputs, ...outputs]) {
      if (tensor === null || edges.has(tensor)) continue
      edges.add(tensor)
      if (named.has(tensor)) continue
      tensor.fields.name = freeName(tensor.fields.name || 'tensor', taken, counts)
      taken.add(tensor.fields.name)
    }
  }
}

function freeName(
  base: string,
  taken: ReadonlySet<string | null>,
  counts: Map<string, number>,
): string {
  if (!taken.has(base)) return base
  for (;;) {
    const count = (counts.get(base) ?? 0) + 1
    counts.set(base, count)
    const name = `${base};${count}`
    if (!taken.has(name)) return name
  }
}
