import { RuntimeError } from './errors.ts'
import { RUNTIMES, type Runtime, type RuntimeName } from './runtime.ts'

/** Where a runtime is found that does not come with this program. */
export interface RuntimePlace {
  /** Path of its shared library. */
  readonly library?: string
}

interface Adapter {
  /** For processes that must live: wasm runs in a worker thread, native libraries in a child process. */
  readonly isolated: (place: RuntimePlace) => Promise<Runtime>
  /** In the thread that asks. */
  readonly inProcess: (place: RuntimePlace) => Promise<Runtime>
}

const onnxruntime = async () => (await import('./onnxruntime/onnxruntime.ts')).onnxruntime

// Imported when first asked for, so that a process which runs no model stays small.
const ADAPTERS: Readonly<Record<RuntimeName, Adapter>> = {
  litert: {
    isolated: async () => (await import('./litert/litert-runtime.ts')).litertRuntime,
    inProcess: async () => (await import('./litert/in-process.ts')).litertInProcess,
  },
  onnxruntime: {
    isolated: onnxruntime,
    inProcess: async () => (await import('./onnxruntime/profile.ts')).profilingOnnxruntime,
  },
  tflite: native('tflite', async (path) => (await import('./tflite/tflite.ts')).openTflite(path)),
  openvino: native('openvino', async (path) =>
    (await import('./openvino/openvino.ts')).openOpenvino(path),
  ),
}

/** The runtime for processes that must live. @throws RuntimeError `runtime-missing`, `library-unusable` */
export async function loadRuntime(name: RuntimeName, place: RuntimePlace = {}): Promise<Runtime> {
  return await ADAPTERS[name].isolated(place)
}

/**
 * The runtime in this very thread, without messages between threads: for child processes that measure, which a
 * crash of the runtime may end. @throws RuntimeError `runtime-missing`, `library-unusable`
 */
export async function loadInProcess(name: RuntimeName, place: RuntimePlace = {}): Promise<Runtime> {
  return await ADAPTERS[name].inProcess(place)
}

/** A native library may crash, hang or keep memory: whoever must live runs it in a child process. */
function native(name: RuntimeName, open: (library: string) => Promise<Runtime>): Adapter {
  const opened = new Map<string, Promise<Runtime>>()
  return {
    isolated: async ({ library }) =>
      (await import('./native/child-runtime.ts')).openInChild(name, needed(name, library)),
    // Once mapped it stays, so it is opened once: for a variant and for what it is measured beside.
    inProcess: ({ library }) => {
      const path = needed(name, library)
      const known = opened.get(path) ?? open(path)
      opened.set(path, known)
      return known
    },
  }
}

function needed(name: RuntimeName, library: string | undefined): string {
  if (library !== undefined) return library
  const { from } = RUNTIMES[name]
  const usual = 'library' in from ? from.library : 'its library'
  throw new RuntimeError(
    'runtime-missing',
    `${name} is a library of the device: name it with --library, e.g. /usr/lib/${usual}`,
  )
}
