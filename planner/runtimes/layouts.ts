import type { RuntimeName } from '../../shared/runtime/index.ts'

/** What OpenVINO computes on; each has a plugin of its own. */
export const PLUGINS = ['CPU', 'GPU', 'NPU'] as const
export type Plugin = (typeof PLUGINS)[number]

/** Where a runtime lies in its wheel: a row each. */
export interface WheelLayout {
  readonly runtime: RuntimeName
  /** Name of the distribution, as its `.dist-info` spells it. */
  readonly wheel: string
  /** The library that is opened. */
  readonly library: RegExp
  /** What the library loads besides, and from where it expects it. */
  readonly alongside: (plugins: readonly Plugin[]) => readonly RegExp[]
}

const openvino = (name: string) => new RegExp(`^openvino/libs/lib${name}\\.so(?:\\.\\d+)*$`)

export const WHEELS: readonly WheelLayout[] = [
  {
    runtime: 'tflite',
    wheel: 'ai_edge_litert',
    library: /^ai_edge_litert\/libLiteRt\.so$/,
    // Its accelerators and compilers of vendors are several times as large, and for Python.
    alongside: () => [],
  },
  {
    runtime: 'openvino',
    wheel: 'openvino',
    library: openvino('openvino_c'),
    // Frontends for the files we write; those of PyTorch, Paddle, JAX and TensorFlow read what nobody sends.
    alongside: (plugins) => [
      ...['openvino', 'tbb'].map(openvino),
      ...['ir', 'onnx', 'tensorflow_lite'].map((format) => openvino(`openvino_${format}_frontend`)),
      ...plugins.map((plugin) => openvino(`openvino_intel_${plugin.toLowerCase()}_plugin`)),
      // AUTO and HETERO choose between several.
      ...(plugins.length > 1 ? ['openvino_auto_plugin', 'openvino_hetero_plugin'] : []).map(
        openvino,
      ),
    ],
  },
]

/** Which runtime a library is: every function of one of the sets must be there. */
export const SYMBOLS: readonly {
  readonly runtime: RuntimeName
  readonly all: readonly string[]
}[] = [
  {
    runtime: 'tflite',
    all: [
      'TfLiteVersion',
      'TfLiteModelCreate',
      'TfLiteInterpreterCreate',
      'TfLiteInterpreterInvoke',
      'TfLiteInterpreterModifyGraphWithDelegate',
    ],
  },
  {
    runtime: 'tflite',
    all: [
      'LiteRtCreateEnvironment',
      'LiteRtCreateModelFromBuffer',
      'LiteRtCreateCompiledModel',
      'LiteRtCompiledModelResizeInputTensor',
      'LiteRtRunCompiledModel',
    ],
  },
  {
    runtime: 'openvino',
    all: ['ov_core_create', 'ov_core_compile_model', 'ov_infer_request_infer'],
  },
]

/** A set of which some is there: too old a version of it, or a build without the rest. */
export function runtimeOf(exported: ReadonlySet<string>): {
  readonly runtime?: RuntimeName
  readonly missing: readonly string[]
} {
  let nearest: readonly string[] = SYMBOLS.map(({ all }) => all[0] ?? '')
  let most = 0
  for (const { runtime, all } of SYMBOLS) {
    const missing = all.filter((symbol) => !exported.has(symbol))
    if (missing.length === 0) return { runtime, missing }
    const present = (all.length - missing.length) / all.length
    if (present > most) [nearest, most] = [missing, present]
  }
  return { missing: nearest }
}
