import type { Tensor } from '../../tensors.ts'
import { packageVersion } from '../package-version.ts'
import { RUNTIMES, type Runtime, type Session } from '../runtime.ts'
import { type EngineOptions, LitertEngine } from './engine.ts'
import type { LitertModel } from './model.ts'

/** Copies of the outputs, under their names. */
export function copyOutputs(model: LitertModel, views: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(
    views.map((view, i) => [
      model.outputs[i]?.name ?? `${i}`,
      { ...view, data: view.data.slice() },
    ]),
  )
}

/**
 * The contract over an engine in this thread: nothing is sent between threads, so this is what a latency probe
 * measures. For child processes only: memory of the wasm heap comes back when the process ends.
 */
export const litertInProcess: Runtime = {
  name: 'litert',
  get version() {
    return packageVersion(RUNTIMES.litert.from.package)
  },
  async load(bytes: Uint8Array, options: EngineOptions = {}): Promise<Session> {
    const engine = await LitertEngine.start(options)
    const model = engine.load(bytes)
    return {
      inputs: model.inputs,
      outputs: model.outputs,
      details: describe(engine, model),
      run: async (inputs) => copyOutputs(model, model.run(inputs)),
      close: async () => model.close(),
    }
  },
}

/** What the runtime really uses, for reports. */
export function describe(engine: LitertEngine, model: LitertModel) {
  return {
    build: engine.build,
    threads: engine.threads,
    kernels: engine.kernels,
    fullyDelegated: model.fullyDelegated,
  }
}
