import type { Instruction, Plan } from '../../../graph/index.ts'
import { finishDraft, usedTensors } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { ModelRewriter } from './model-rewriter.ts'
import { settleNames } from './names.ts'
import { noteRelease } from './release-note.ts'
import { settleVersion, signaturesOf } from './signatures.ts'
import { TRANSFORMS } from './transforms.ts'

/**
 * The model that a plan describes; `model` stays as it is. Beside the plan's instructions it settles
 * what follows from them: operator versions, names, the release note, and that nothing unused is kept.
 */
export function perform(model: TflModel, plan: Plan): TflModel {
  const rewriter = new ModelRewriter(model)
  const { draft } = rewriter
  const before = signaturesOf(draft.subgraphs.flatMap((subgraph) => subgraph.operators))
  const sourceTensors = new Set(draft.subgraphs.flatMap((subgraph) => subgraph.tensors))
  for (const instruction of plan.instructions) follow(rewriter, instruction)
  for (const subgraph of draft.subgraphs) {
    const added = new Set(subgraph.tensors.filter((tensor) => !sourceTensors.has(tensor)))
    settleNames(subgraph, usedTensors(draft, subgraph), added)
  }
  for (const operator of rewriter.changed) settleVersion(operator, before.get(operator) ?? null)
  noteRelease(draft)
  return finishDraft(draft)
}

function follow(rewriter: ModelRewriter, instruction: Instruction): void {
  // The table's rows take what their own verb carries; TypeScript cannot pair the two by itself.
  const transform = TRANSFORMS[instruction.verb] as (at: ModelRewriter, what: Instruction) => void
  transform(rewriter, instruction)
}
