import {
  type EngineChoice,
  loadOn,
  type ModelFormat,
  type OnnxruntimeLoadOptions,
  openIsolated,
  RuntimeError,
  type Session,
  type TensorInfo,
} from '../../../shared/runtime/index.ts'
import { LitertEngine } from '../../../shared/runtime/litert/engine.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { LoadWishes, PoolTask, SampleInputs } from './messages.ts'

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

export function startEngine({ format, engine }: PoolTask): Promise<Engine> {
  return engine === undefined ? ENGINES[format]() : chosen(engine)
}

/** How each runtime that comes with this program is entered without copying its outputs. */
const ENGINES: Record<ModelFormat, () => Promise<Engine>> = {
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
        return byPlace(await onnxruntime.load(bytes, options))
      },
    }
  },
}

/** A library of this machine, in a child process that it may end. */
async function chosen(choice: EngineChoice): Promise<Engine> {
  const runtime = await openIsolated(choice)
  return {
    async load(bytes, { constantsFolder }) {
      if (constantsFolder === undefined) return byPlace(await loadOn(runtime, choice, bytes))
      throw new RuntimeError(
        'not-loadable',
        `${runtime.name} is not given constants beside a model of over 2 GB: leave out --runtime`,
      )
    },
  }
}

function byPlace(session: Session): RunnableModel {
  const { inputs, outputs } = session
  return {
    inputs,
    outputs,
    run: async (values) => {
      const named = inputs.map(({ name }, i) => [name, values[i] as Tensor])
      const computed = await session.run(Object.fromEntries(named))
      return outputs.map(({ name }) => computed[name] as Tensor)
    },
    close: () => session.close(),
  }
}
