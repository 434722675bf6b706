import { messageOf } from '../../shared/errors.ts'
import {
  installedRuntimes,
  isPackaged,
  libraryFacts,
  loadRuntime,
  RuntimeError,
  type RuntimeName,
} from '../../shared/runtime/index.ts'
import type { Engine, EngineDelegate } from './engine.ts'

/** What this device is told of its runtimes. */
export interface EngineSettings {
  /** The only ones that applications here load; null: all there are. */
  readonly runtimes: readonly RuntimeName[] | null
  /** Places of native libraries, in order of preference: the first of a runtime that opens is taken. */
  readonly libraries: readonly LibraryPlace[]
  readonly delegates: readonly DelegatePlace[]
  /** Applications load models with the delegates or not at all: the library by itself is not offered. */
  readonly delegatedOnly?: boolean
  /** Devices of OpenVINO beside the processor, e.g. `NPU`. */
  readonly devices: readonly string[]
}

export interface LibraryPlace {
  readonly runtime: RuntimeName
  readonly path: string
}

export interface DelegatePlace {
  readonly name: string
  readonly path: string
  readonly options: Readonly<Record<string, string>>
}

/** A library or delegate that was named and cannot be used: named to people, and not tried until its file changes. */
export interface Unusable {
  /** Runtime of a library, name of a delegate. */
  readonly name: string
  readonly path: string
  readonly code: string
  readonly message: string
}

export interface EngineScan {
  readonly engines: readonly Engine[]
  readonly unusable: readonly Unusable[]
}

/**
 * Opens every native library that is named, each in a child process: one that crashes when it is loaded is found here,
 * and not by the daemon. Delegates are made when a model is loaded with them: here they are read only.
 */
export async function findEngines(settings: EngineSettings): Promise<EngineScan> {
  const unusable: Unusable[] = []
  const wanted = (name: RuntimeName) => settings.runtimes?.includes(name) ?? true
  const packaged = (await installedRuntimes()).filter(({ name }) => wanted(name))
  const engines: Engine[] = packaged.map(({ name, version }) => ({
    runtime: name,
    version,
    library: null,
    delegates: [],
    device: null,
  }))
  const delegates = await readDelegates(settings.delegates, unusable)
  for (const place of settings.libraries) {
    const { runtime } = place
    const isTaken = engines.some((engine) => engine.runtime === runtime)
    if (isPackaged(runtime) || isTaken || !wanted(runtime)) continue
    const plain = await open(place, unusable)
    if (plain === undefined) continue
    const helped = runtime === 'tflite' && delegates.length > 0
    if (!(helped && settings.delegatedOnly)) engines.push(plain)
    if (helped) engines.push({ ...plain, delegates })
    if (runtime === 'openvino')
      engines.push(...settings.devices.map((device) => ({ ...plain, device })))
  }
  return { engines, unusable }
}

async function open(place: LibraryPlace, unusable: Unusable[]): Promise<Engine | undefined> {
  const { runtime, path } = place
  try {
    const { version, library } = await loadRuntime(runtime, { library: path })
    return { runtime, version, library: library ?? null, delegates: [], device: null }
  } catch (error) {
    unusable.push({ name: runtime, path, ...told(error) })
    return undefined
  }
}

/** All or none: without one of them the others would be given what it should take. */
async function readDelegates(
  places: readonly DelegatePlace[],
  unusable: Unusable[],
): Promise<readonly EngineDelegate[]> {
  const read: EngineDelegate[] = []
  for (const { name, path, options } of places) {
    try {
      const { digest } = await libraryFacts(path)
      read.push({ name, path, digest, options })
    } catch (error) {
      unusable.push({ name, path, ...told(error) })
    }
  }
  return read.length === places.length ? read : []
}

function told(error: unknown): Pick<Unusable, 'code' | 'message'> {
  const code = error instanceof RuntimeError ? error.code : 'internal'
  return { code, message: messageOf(error).split('\n')[0] ?? '' }
}
