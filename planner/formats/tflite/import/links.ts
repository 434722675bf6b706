import type { DraftOperator, DraftSubgraph, DraftTensor } from '../draft.ts'

/** Who makes and who reads each tensor. */
export interface Links {
  readonly makers: Map<DraftTensor, DraftOperator>
  readonly readers: Map<DraftTensor, DraftOperator[]>
}

export function linksOf({ operators }: DraftSubgraph): Links {
  const makers = new Map<DraftTensor, DraftOperator>()
  const readers = new Map<DraftTensor, DraftOperator[]>()
  for (const operator of operators) {
    for (const tensor of operator.outputs) if (tensor) makers.set(tensor, operator)
    for (const tensor of new Set(operator.inputs)) {
      if (tensor) readers.set(tensor, [...(readers.get(tensor) ?? []), operator])
    }
  }
  return { makers, readers }
}

/** One rewrite of an operator that keeps every output; false where it does not apply. */
export type Rewrite = (operator: DraftOperator, links: Links, subgraph: DraftSubgraph) => boolean

/** The only operator that reads what `operator` makes, where no caller sees it. */
export function onlyReader(
  operator: DraftOperator,
  { readers }: Links,
  { outputs }: DraftSubgraph,
): DraftOperator | undefined {
  const [made, ...others] = operator.outputs
  if (!made || others.length > 0 || outputs.includes(made)) return undefined
  const [only, ...more] = readers.get(made) ?? []
  return more.length === 0 ? only : undefined
}

export function sameSizes(
  a: DraftTensor | null | undefined,
  b: DraftTensor | null | undefined,
): boolean {
  return a?.fields.shape?.join() === b?.fields.shape?.join()
}

export function drop(subgraph: DraftSubgraph, operator: DraftOperator): void {
  subgraph.operators.splice(subgraph.operators.indexOf(operator), 1)
}
