import type { Runtime, RuntimeName } from './runtime.ts'

interface Adapter {
  /** For processes that must live: wasm runs in a worker thread. */
  readonly isolated: () => Promise<Runtime>
  /** In the thread that asks. */
  readonly inProcess: () => Promise<Runtime>
}

const onnxruntime = async () => (await import('./onnxruntime/onnxruntime.ts')).onnxruntime

// Imported when first asked for, so that a process which runs no model stays small.
const ADAPTERS: Readonly<Record<RuntimeName, Adapter>> = {
  litert: {
    isolated: async () => (await import('./litert/litert-runtime.ts')).litertRuntime,
    inProcess: async () => (await import('./litert/in-process.ts')).litertInProcess,
  },
  onnxruntime: { isolated: onnxruntime, inProcess: onnxruntime },
}

/** The runtime for processes that must live. @throws RuntimeError `runtime-missing` */
export async function loadRuntime(name: RuntimeName): Promise<Runtime> {
  return await ADAPTERS[name].isolated()
}

/**
 * The runtime in this very thread, without messages between threads: for child processes that measure, which a
 * crash of the runtime may end. @throws RuntimeError `runtime-missing`
 */
export async function loadInProcess(name: RuntimeName): Promise<Runtime> {
  return await ADAPTERS[name].inProcess()
}
