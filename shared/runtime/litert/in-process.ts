import type { Tensor } from '../../tensors.ts'
import { packageVersion } from '../package-version.ts'
import { RUNTIMES, type Runtime, type Session } from '../runtime.ts'
import { type EngineOptions, LitertEngine } from './engine.ts'
import { OPTIMISED_AFTER_MS } from './machine-code.ts'
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
    const shared = engineFor(options)
    const engine = await shared.engine
    const model = loadedIn(shared, engine, bytes)
    return {
      inputs: model.inputs,
      outputs: model.outputs,
      details: describe(engine, model),
      optimisedAfterMs: OPTIMISED_AFTER_MS,
      run: async (inputs) => copyOutputs(model, model.run(inputs)),
      close: async () => {
        shared.open -= 1
        if (shared.open === 0) engines.delete(shared.key)
        model.close()
      },
    }
  },
}

/** One instance for all models that are open at a time: to start one, with its threads, takes longer than to load a model. */
interface Shared {
  readonly key: string
  readonly engine: Promise<LitertEngine>
  open: number
}

const engines = new Map<string, Shared>()

function engineFor(options: EngineOptions): Shared {
  const key = JSON.stringify([options.threads ?? 1, options.kernels ?? null])
  const known = engines.get(key)
  if (known) return known
  const fresh = { key, engine: LitertEngine.start(options), open: 0 }
  engines.set(key, fresh)
  // One that does not start is no reason for the next not to.
  fresh.engine.catch(() => {
    if (engines.get(key) === fresh) engines.delete(key)
  })
  return fresh
}

/** What a model that does not load leaves behind in an instance is not known: the next one gets another. */
function loadedIn(shared: Shared, engine: LitertEngine, bytes: Uint8Array): LitertModel {
  try {
    const model = engine.load(bytes)
    shared.open += 1
    return model
  } catch (error) {
    engines.delete(shared.key)
    throw error
  }
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
