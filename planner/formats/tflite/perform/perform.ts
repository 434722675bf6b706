import type { Instruction, Plan } from '../../../quantizer/plan/instructions.ts'
import { finishDraft, usedTensors } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { settleNames } from './names.ts'
import { PERFORMERS } from './performers.ts'
import { noteRelease } from './release-note.ts'
import { settleVersion, signaturesOf } from './signatures.ts'
import { Workshop } from './workshop.ts'

/**
 * The model that a plan describes; `model` stays as it is. Beside the plan's instructions it settles
 * what follows from them: operator versions, names, the release note, and that nothing unused is kept.
 */
export function perform(model: TflModel, plan: Plan): TflModel {
  const workshop = new Workshop(model)
  const { draft } = workshop
  const before = signaturesOf(draft.subgraphs.flatMap((subgraph) => subgraph.operators))
  const sourceTensors = new Set(draft.subgraphs.flatMap((subgraph) => subgraph.tensors))
  for (const instruction of plan.instructions) follow(workshop, instruction)
  for (const subgraph of draft.subgraphs) {
    const added = new Set(subgraph.tensors.filter((tensor) => !sourceTensors.has(tensor)))
    settleNames(subgraph, usedTensors(draft, subgraph), added)
  }
  for (const operator of workshop.changed) settleVersion(operator, before.get(operator) ?? null)
  noteRelease(draft)
  return finishDraft(draft)
}

function follow(workshop: Workshop, instruction: Instruction): void {
  // The table's rows take what their own verb carries; TypeScript cannot pair the two by itself.
  const performer = PERFORMERS[instruction.verb] as (at: Workshop, what: Instruction) => void
  performer(workshop, instruction)
}
