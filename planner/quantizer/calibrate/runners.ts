import { RuntimeError, type RuntimeName } from '../../../shared/runtime/index.ts'
import { LitertEngine } from '../../../shared/runtime/litert/engine.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { SampleInputs } from './messages.ts'

/** Runs a model in this thread; outputs in the model's order, valid until the next run. */
export type Runner = (inputs: SampleInputs) => readonly Tensor[] | Promise<readonly Tensor[]>

/** How each runtime is entered without copying its outputs. */
export const RUNNERS: Record<RuntimeName, (model: Uint8Array) => Promise<Runner>> = {
  litert: async (bytes) => {
    const engine = await LitertEngine.start()
    const model = engine.load(bytes)
    const names = model.inputs.map((input) => input.name)
    return (inputs) =>
      model.run(Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor])))
  },
  onnxruntime: () =>
    Promise.reject(
      new RuntimeError('run-failed', 'calibration in onnxruntime is not part of this version'),
    ),
}
