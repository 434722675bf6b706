import type { ElementType, Tensor } from '../tensors.ts'

/** A runtime, without loading it: a row each. Adapters are in `load-runtime.ts`. */
export const RUNTIMES = {
  litert: {
    /** Which files it takes; the extension is the model format's name. */
    format: 'tflite',
    /** The npm package it comes in. */
    package: '@litertjs/core',
    /** The file inside the package without which it cannot start on this machine. */
    needs: 'wasm/litert_wasm_compat_internal.wasm',
  },
  onnxruntime: {
    format: 'onnx',
    package: 'onnxruntime-node',
    needs: `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
  },
} as const

export type RuntimeName = keyof typeof RUNTIMES
export const RUNTIME_NAMES = Object.keys(RUNTIMES) as [RuntimeName, ...RuntimeName[]]

export type ModelFormat = (typeof RUNTIMES)[RuntimeName]['format']
export const MODEL_FORMAT_NAMES = [
  ...new Set(Object.values(RUNTIMES).map(({ format }) => format)),
] as [ModelFormat, ...ModelFormat[]]

export interface TensorInfo {
  readonly name: string
  readonly type: ElementType
  /** -1 where the model leaves a dimension open. */
  readonly shape: readonly number[]
  /** Per-tensor affine parameters of an integer input or output: real = scale × (q − zeroPoint). */
  readonly quantization?: { readonly scale: number; readonly zeroPoint: number }
}

export interface LoadOptions {
  /** Intra-operator threads; the runtime's own default where absent. */
  readonly threads?: number
}

/** What the runtime really uses for a session (threads, build, delegation…), for reports. */
export type SessionDetails = Readonly<Record<string, string | number | boolean>>

/** A loaded model. One call of `run` at a time. */
export interface Session {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly details?: SessionDetails
  /** Inputs by name, with concrete shapes. @throws RuntimeError */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>
  /** Gives all memory back; calling it twice is harmless. */
  close(): Promise<void>
}

export interface Runtime {
  readonly name: RuntimeName
  /** Version of the installed runtime package. */
  readonly version: string
  /** @throws RuntimeError when the bytes are no model, or use what this runtime lacks. */
  load(model: Uint8Array, options?: LoadOptions): Promise<Session>
}
