import type { Instruction, Plan } from '../../../graph/index.ts'
import type { OnnxModel } from '../model.ts'
import { sweep } from '../prepare/sweep.ts'
import type { OnnxView } from '../view.ts'
import { settleActivations } from './activations.ts'
import { ModelRewriter } from './model-rewriter.ts'
import { shareConstants } from './share-constants.ts'
import { TRANSFORMS } from './transforms.ts'

/** The model that a plan describes; `model` stays as it is. Integer activations take the QDQ form. */
export function perform(model: OnnxModel, view: OnnxView, plan: Plan): OnnxModel {
  const rewriter = new ModelRewriter(model, view)
  for (const instruction of plan.instructions) follow(rewriter, instruction)
  settleActivations(rewriter)
  const result = rewriter.finish()
  if (result.graph) {
    sweep(result.graph)
    shareConstants(result.graph)
  }
  return { ...result, producerName: 'fitment' }
}

function follow(rewriter: ModelRewriter, instruction: Instruction): void {
  // The table's rows take what their own verb carries; TypeScript cannot pair the two by itself.
  const transform = TRANSFORMS[instruction.verb] as (at: ModelRewriter, what: Instruction) => void
  transform(rewriter, instruction)
}
