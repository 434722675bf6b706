import type { Instruction, Plan } from '../../../quantizer/plan/instructions.ts'
import type { OnnxModel } from '../model.ts'
import { sweep } from '../prepare/sweep.ts'
import type { OnnxView } from '../view.ts'
import { settleActivations } from './activations.ts'
import { PERFORMERS } from './performers.ts'
import { Workshop } from './workshop.ts'

/** The model that a plan describes; `model` stays as it is. Integer activations take the QDQ form. */
export function perform(model: OnnxModel, view: OnnxView, plan: Plan): OnnxModel {
  const workshop = new Workshop(model, view)
  for (const instruction of plan.instructions) follow(workshop, instruction)
  settleActivations(workshop)
  const result = workshop.finish()
  if (result.graph) sweep(result.graph)
  return { ...result, producerName: 'fitment' }
}

function follow(workshop: Workshop, instruction: Instruction): void {
  // The table's rows take what their own verb carries; TypeScript cannot pair the two by itself.
  const performer = PERFORMERS[instruction.verb] as (at: Workshop, what: Instruction) => void
  performer(workshop, instruction)
}
