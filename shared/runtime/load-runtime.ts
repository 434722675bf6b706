import type { Runtime, RuntimeName } from './runtime.ts'

type Adapters = Readonly<Record<RuntimeName, () => Promise<Runtime>>>

// Imported when first asked for, so that a process which runs no model stays small.
const onnxruntime = async () => (await import('./onnxruntime/onnxruntime.ts')).onnxruntime

const ISOLATED: Adapters = {
  litert: async () => (await import('./litert/litert-runtime.ts')).litertRuntime,
  onnxruntime,
}

const IN_PROCESS: Adapters = {
  litert: async () => (await import('./litert/in-process.ts')).litertInProcess,
  onnxruntime,
}

/** The runtime for processes that must live: wasm runs in a worker thread. @throws RuntimeError `runtime-missing` */
export async function loadRuntime(name: RuntimeName): Promise<Runtime> {
  return await ISOLATED[name]()
}

/**
 * The runtime in this very thread, without messages between threads: for child processes that measure, which a
 * crash of the runtime may end. @throws RuntimeError `runtime-missing`
 */
export async function loadInProcess(name: RuntimeName): Promise<Runtime> {
  return await IN_PROCESS[name]()
}
