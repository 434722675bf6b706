import type { ElementType, Tensor } from '../tensors.ts'

/** Where a runtime comes from: with this program, or as a native library of the device. */
export type RuntimeOrigin =
  | {
      /** The npm package it comes in. */
      readonly package: string
      /** The file inside the package without which it cannot start on this machine. */
      readonly needs: string
    }
  | {
      /** What its shared library is usually called. */
      readonly library: string
    }

/** A runtime, without loading it: a row each. Adapters are in `load-runtime.ts`. */
export const RUNTIMES = {
  litert: {
    /** Which files are made for it; the extension is the model format's name. */
    format: 'tflite',
    /** Which files it takes besides. */
    alsoTakes: [],
    from: { package: '@litertjs/core', needs: 'wasm/litert_wasm_compat_internal.wasm' },
  },
  onnxruntime: {
    format: 'onnx',
    alsoTakes: [],
    from: {
      package: 'onnxruntime-node',
      needs: `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
    },
  },
  /** TensorFlow Lite's C API, or LiteRT's: which one a library is, its symbols tell. */
  tflite: {
    format: 'tflite',
    alsoTakes: [],
    from: { library: 'libtensorflowlite_c.so' },
  },
  openvino: {
    format: 'onnx',
    alsoTakes: ['tflite'],
    from: { library: 'libopenvino_c.so' },
  },
} as const satisfies Record<
  string,
  {
    readonly format: string
    readonly alsoTakes: readonly string[]
    readonly from: RuntimeOrigin
  }
>

export type RuntimeName = keyof typeof RUNTIMES
export const RUNTIME_NAMES = Object.keys(RUNTIMES) as [RuntimeName, ...RuntimeName[]]

export type ModelFormat = (typeof RUNTIMES)[RuntimeName]['format']
export const MODEL_FORMAT_NAMES = [
  ...new Set(Object.values(RUNTIMES).map(({ format }) => format)),
] as [ModelFormat, ...ModelFormat[]]

/** In whose name files of a format are released: whatever takes the format runs them. */
export function runtimeOfFiles(format: ModelFormat): PackagedRuntime {
  return FILES_OF[format]
}

const FILES_OF: Readonly<Record<ModelFormat, PackagedRuntime>> = {
  tflite: 'litert',
  onnx: 'onnxruntime',
}

export function takesFormat(name: RuntimeName, format: ModelFormat): boolean {
  const { format: usual, alsoTakes } = RUNTIMES[name]
  return usual === format || (alsoTakes as readonly ModelFormat[]).includes(format)
}

/** Come with this program, on every machine that it has a build for. */
export type PackagedRuntime = {
  [K in RuntimeName]: (typeof RUNTIMES)[K]['from'] extends { readonly package: string } ? K : never
}[RuntimeName]

/** The others come as libraries of the device, and run in child processes only: such a library may end its process. */
export function isPackaged(name: RuntimeName): name is PackagedRuntime {
  return 'package' in RUNTIMES[name].from
}

export const PACKAGED_RUNTIMES = RUNTIME_NAMES.filter(isPackaged) as [
  PackagedRuntime,
  ...PackagedRuntime[],
]

export interface TensorInfo {
  readonly name: string
  readonly type: ElementType
  /** -1 where the model leaves a dimension open. */
  readonly shape: readonly number[]
  /** Per-tensor affine parameters of an integer input or output: real = scale × (q − zeroPoint). */
  readonly quantization?: { readonly scale: number; readonly zeroPoint: number }
}

/** A library that computes operators for the runtime, and what it is told when it is made. */
export interface DelegateChoice {
  readonly path: string
  readonly options: Readonly<Record<string, string>>
}

export interface LoadOptions {
  /** Intra-operator threads; the runtime's own default where absent. */
  readonly threads?: number
  /** Asked in this order for the operators they take; native runtimes alone. */
  readonly delegates?: readonly DelegateChoice[]
  /** Least share of the operators that the delegates must take between them, 0 to 1; more than none where absent. */
  readonly minDelegated?: number
  /** XNNPACK behind the delegates, where the library has the choice; on where absent. */
  readonly xnnpack?: boolean
  /** What to compute on, where the runtime knows several: `CPU`, `GPU`, `NPU`, `AUTO` of OpenVINO. */
  readonly device?: string
  /** The signature to run, by its key; the first where absent. */
  readonly signature?: string
  /** With the runtime's own profiler, for `Session.profile`: runs take longer. */
  readonly profile?: boolean
}

/** What the runtime really uses for a session (threads, build, delegation…), for reports. */
export type SessionDetails = Readonly<Record<string, string | number | boolean>>

/** What one delegate made of a model. */
export interface Delegation {
  /** Of the delegate's library; `xnnpack` for the one inside the runtime's own. */
  readonly path: string
  /** Operators of the model before any delegate. */
  readonly total: number
  readonly taken: number
  /** Pieces of the graph that it computes, each with a border in and out. */
  readonly partitions: number
  /** How many of each kind it left. */
  readonly left: Readonly<Record<string, number>>
}

/** What a part of a model takes in a run, by the runtime's own profiler. */
export interface PartTime {
  /** What computes it, as the runtime calls it: a delegate, a kind of kernel. */
  readonly by: string
  /** Of operator, or of work around them. */
  readonly kind: string
  /** How many of them there are in a run. */
  readonly count: number
  /** Of all of them together, median over the runs. */
  readonly ms: number
}

/** A loaded model. One call of `run` at a time. */
export interface Session {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly details?: SessionDetails
  /** In the order in which they were asked; absent where the runtime knows no delegates. */
  readonly delegation?: readonly Delegation[]
  /** Before it ran for so long its times are not those of an application that runs on: absent where code is machine code from the start. */
  readonly optimisedAfterMs?: number
  /** Inputs by name, with concrete shapes. @throws RuntimeError */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>
  /**
   * `run` of these inputs as a program in C does it, for the clock: what they are is checked once, nothing is allocated,
   * and the outputs' bytes lie where the next run overwrites them. Absent where applications have nothing but `run`.
   * @throws RuntimeError
   */
  prepare?(inputs: Readonly<Record<string, Tensor>>): () => readonly Uint8Array[]
  /** What parts of it take over so many runs, once it was loaded with `profile`; absent where the runtime's profiler does not tell. */
  profile?(inputs: Readonly<Record<string, Tensor>>, runs: number): Promise<readonly PartTime[]>
  /** Gives all memory back; calling it twice is harmless. */
  close(): Promise<void>
}

/** What the clock is held to, again and again: `prepare` where the runtime has it, `run` where it does not. */
export function repeatable(
  session: Session,
  inputs: Readonly<Record<string, Tensor>>,
): () => unknown {
  return session.prepare?.(inputs) ?? (() => session.run(inputs))
}

/** A native library, as it was when it was opened. */
export interface LibraryFacts {
  readonly path: string
  /** sha256 of the file. */
  readonly digest: string
}

export interface Runtime {
  readonly name: RuntimeName
  /** Version of the installed runtime package, or of the library as far as it tells. */
  readonly version: string
  /** Of native runtimes. */
  readonly library?: LibraryFacts
  /** @throws RuntimeError when the bytes are no model, or use what this runtime lacks. */
  load(model: Uint8Array, options?: LoadOptions): Promise<Session>
}
