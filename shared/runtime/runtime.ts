import type { ElementType, Tensor } from '../tensors.ts'

export const RUNTIME_NAMES = ['litert', 'onnxruntime'] as const
export type RuntimeName = (typeof RUNTIME_NAMES)[number]

/** Which files each runtime takes; the extension is the model format's name. */
export const RUNTIME_FORMATS = { litert: 'tflite', onnxruntime: 'onnx' } as const
export type ModelFormat = (typeof RUNTIME_FORMATS)[RuntimeName]

/** The npm package behind each runtime. */
export const RUNTIME_PACKAGES = {
  litert: '@litertjs/core',
  onnxruntime: 'onnxruntime-node',
} as const satisfies Record<RuntimeName, string>

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
