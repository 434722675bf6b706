import type { Finding } from '../../shared/findings.ts'
import type { Graph, GraphTensor } from '../graph/index.ts'
import { linksOf } from '../graph/index.ts'
import { operatorLabel } from './plan/print.ts'

/** Names are for people, and tensors known by their places; but whoever selects by name should know. */
export function duplicateNames(graph: Graph): Finding[] {
  const { producers } = linksOf(graph)
  const byName = new Map<string, GraphTensor[]>()
  for (const tensor of graph.tensors) {
    const key = `${tensor.subgraph} ${tensor.name}`
    byName.set(key, [...(byName.get(key) ?? []), tensor])
  }
  const shared = [...byName.values()].filter((tensors) => tensors.length > 1)
  const [first] = shared
  const name = first?.[0]?.name ?? ''
  if (first === undefined) return []
  const makers = first.flatMap(({ id }) => {
    const maker = producers[id] ?? null
    return maker === null ? [] : [operatorLabel(graph, maker)]
  })
  const made = makers.length === 0 ? '' : `, made by ${makers.join(' and ')}`
  return [
    {
      code: 'duplicate-names',
      severity: 'info',
      message: `${first.length} tensors are named "${name}"${made}${shared.length > 1 ? `, and ${shared.length - 1} more names occur twice` : ''}: each is quantized by itself, a selector by name takes them all`,
      where: name,
    },
  ]
}
