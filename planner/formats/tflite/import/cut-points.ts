import { type DraftTensor, draftOf } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'

/**
 * A copy of the first subgraph that gives out its computed float tensors of these names. Signatures go: LiteRT gives out
 * only what they name.
 */
export function giveOut(
  model: TflModel,
  names: ReadonlySet<string>,
): { model: TflModel; outputs: string[] } {
  const draft = draftOf(model)
  draft.signatures = []
  const [main] = draft.subgraphs
  if (main === undefined) return { model, outputs: [] }
  const computed = new Set(main.operators.flatMap(({ outputs }) => outputs))
  const seen = new Set<string>()
  const found: DraftTensor[] = main.tensors.filter((tensor) => {
    const name = tensor.fields.name ?? ''
    if (
      !computed.has(tensor) ||
      tensor.fields.type !== 'FLOAT32' ||
      !names.has(name) ||
      seen.has(name)
    )
      return false
    seen.add(name)
    return true
  })
  main.outputs = found
  return { model: finishDraft(draft), outputs: found.map(({ fields }) => fields.name ?? '') }
}
