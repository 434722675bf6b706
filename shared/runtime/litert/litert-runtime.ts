import { packageVersion } from '../package-version.ts'
import { RUNTIMES, type Runtime, type Session } from '../runtime.ts'
import type { EngineOptions } from './engine.ts'
import { WorkerSession } from './worker-session.ts'

export interface LitertLoadOptions extends EngineOptions {
  /** A model that is not ready by then is given up; 60 s where absent. */
  readonly loadTimeoutMs?: number
}

/** LiteRT behind the contract: every session in a worker thread of its own. */
export const litertRuntime: Runtime = {
  name: 'litert',
  get version() {
    return packageVersion(RUNTIMES.litert.from.package)
  },
  async load(model: Uint8Array, options: LitertLoadOptions = {}): Promise<Session> {
    const { loadTimeoutMs = 60_000, ...engine } = options
    return await WorkerSession.open(model, engine, loadTimeoutMs)
  },
}
