import type {
  ModelFormat,
  OnnxruntimeLoadOptions,
  TensorInfo,
} from '../../../shared/runtime/index.ts'
import { LitertEngine } from '../../../shared/runtime/litert/engine.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { LoadWishes, SampleInputs } from './messages.ts'

/** A runtime in this thread. */
export interface Engine {
  load(model: Uint8Array, wishes: LoadWishes): RunnableModel | Promise<RunnableModel>
}

export interface RunnableModel {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  /** Outputs in the model's order, in place: valid until the next run. */
  run(inputs: SampleInputs): readonly Tensor[] | Promise<readonly Tensor[]>
  close(): void | Promise<void>
}

/** How each runtime is entered without copying its outputs. */
export const ENGINES: Record<ModelFormat, () => Promise<Engine>> = {
  tflite: async () => {
    const engine = await LitertEngine.start()
    return {
      load(bytes) {
        const model = engine.load(bytes)
        const names = model.inputs.map((input) => input.name)
        return {
          inputs: model.inputs,
          outputs: model.outputs,
          run: (inputs) =>
            model.run(Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor]))),
          close: () => model.close(),
        }
      },
    }
  },
  onnx: async () => {
    const { onnxruntime } = await import('../../../shared/runtime/onnxruntime/onnxruntime.ts')
    return {
      async load(bytes, wishes) {
        const options: OnnxruntimeLoadOptions = { frugal: true, ...wishes }
        const { inputs, outputs, run, close } = await onnxruntime.load(bytes, options)
        return {
          inputs,
          outputs,
          run: async (values) => {
            const named = inputs.map(({ name }, i) => [name, values[i] as Tensor])
            const computed = await run(Object.fromEntries(named))
            return outputs.map(({ name }) => computed[name] as Tensor)
          },
          close,
        }
      },
    }
  },
}
