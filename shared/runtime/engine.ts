import { loadInProcess, loadRuntime } from './load-runtime.ts'
import type { DelegateChoice, LoadOptions, Runtime, RuntimeName, Session } from './runtime.ts'

/** How a model is run: a runtime, where its library is, and who computes for it. Measurements of different engines never mix. */
export interface EngineChoice {
  readonly runtime: RuntimeName
  /** Of native runtimes. */
  readonly library?: string
  /** Asked in this order. */
  readonly delegates?: readonly DelegateChoice[]
  readonly device?: string
  readonly minDelegated?: number
  readonly xnnpack?: boolean
}

/** In this very process, which it may end: for children. @throws RuntimeError */
export async function openHere(engine: EngineChoice): Promise<Runtime> {
  return await loadInProcess(engine.runtime, placeOf(engine))
}

/** Where the asking process must live. @throws RuntimeError */
export async function openIsolated(engine: EngineChoice): Promise<Runtime> {
  return await loadRuntime(engine.runtime, placeOf(engine))
}

/** @throws RuntimeError */
export async function loadOn(
  runtime: Runtime,
  engine: EngineChoice,
  model: Uint8Array,
  options: Pick<LoadOptions, 'threads' | 'signature' | 'profile'> = {},
): Promise<Session> {
  const { delegates, device, minDelegated, xnnpack } = engine
  return await runtime.load(model, {
    ...options,
    ...(delegates && { delegates }),
    ...(device !== undefined && { device }),
    ...(minDelegated !== undefined && { minDelegated }),
    ...(xnnpack !== undefined && { xnnpack }),
  })
}

function placeOf({ library }: EngineChoice) {
  return library === undefined ? {} : { library }
}
