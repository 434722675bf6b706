import type * as Ort from 'onnxruntime-node'
import { messageOf } from '../../errors.ts'
import type { Tensor } from '../../tensors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { orderedInputs } from '../input-check.ts'
import { packageVersion } from '../package-version.ts'
import {
  type LoadOptions,
  RUNTIMES,
  type Runtime,
  type Session,
  type TensorInfo,
} from '../runtime.ts'
import { hostHasNarrowSums } from './narrow-sums.ts'
import { loadNative } from './native.ts'
import { fromOrt, tensorInfo, toOrt } from './ort-tensors.ts'

export interface OnnxruntimeLoadOptions extends LoadOptions {
  /** Graph rewrites; `all` where absent. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all'
  /** In order of preference, from `executionProviders()`; the CPU where absent. */
  readonly providers?: readonly string[]
  /** Where to write the graph as the optimiser left it, to count the fused integer operators. */
  readonly optimizedModelPath?: string
  /**
   * Room for one activation after the other, instead of for all that a run may need, and threads that sleep while they wait
   * for each other: where memory and processor time count, not latency.
   */
  readonly frugal?: boolean
  /** Integer kernels for signed activations, as ARM has them; elsewhere they become unsigned when a model loads. */
  readonly signedActivations?: boolean
  /** Where this host's integer kernels would cut sums off: integer operators as what they stand for, in float. */
  readonly wideSums?: boolean
  /** Folder of the files in which the model keeps constants. */
  readonly constantsFolder?: string
  /** Operator times go to `<prefix>_<date>.json` when the session closes. */
  readonly profilePrefix?: string
}

/** ONNX Runtime behind the contract. Its native code is mapped on the first load and stays in the process. */
export const onnxruntime: Runtime = {
  name: 'onnxruntime',
  get version() {
    return packageVersion(RUNTIMES.onnxruntime.from.package)
  },
  load: async (model, options: OnnxruntimeLoadOptions = {}) => {
    const ort = await native()
    return await open(ort, model, options)
  },
}

/** What the installed build can run on: `cpu`, and on some platforms `webgpu`, `cuda`, `dml`, `coreml`. */
export async function executionProviders(): Promise<string[]> {
  const ort = await native()
  return ort.listSupportedBackends().map((backend) => backend.name)
}

async function native(): Promise<typeof Ort> {
  try {
    return await loadNative()
  } catch (cause) {
    throw new RuntimeError(
      'runtime-missing',
      `ONNX Runtime does not start on this machine: ${firstLine(cause)}; it needs linux x64 or arm64 with glibc, or use .tflite models`,
      {},
      { cause },
    )
  }
}

async function open(
  ort: typeof Ort,
  model: Uint8Array,
  options: OnnxruntimeLoadOptions,
): Promise<Session> {
  const session = await attempt('not-loadable', 'ONNX Runtime cannot load this model', () =>
    ort.InferenceSession.create(model, sessionOptions(options)),
  )
  const inputs = session.inputMetadata.map(tensorInfo)
  const outputs = session.outputMetadata.map(tensorInfo)
  let closed: Promise<void> | undefined
  return {
    inputs,
    outputs,
    details: {
      threads: options.threads ?? 0,
      optimization: options.optimization ?? 'all',
      providers: (options.providers ?? ['cpu']).join(','),
    },
    run: (given) => run(ort, session, inputs, given),
    close: () => {
      closed ??= close(session, options)
      return closed
    },
  }
}

function sessionOptions(options: OnnxruntimeLoadOptions): Ort.InferenceSession.SessionOptions {
  return {
    // Errors come as exceptions; warnings about unused initialisers would go to the terminal.
    logSeverityLevel: 4,
    executionProviders: [...(options.providers ?? ['cpu'])],
    graphOptimizationLevel: options.optimization ?? 'all',
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.optimizedModelPath === undefined
      ? {}
      : { optimizedModelFilePath: options.optimizedModelPath }),
    // The arena stays: new pages for every activation of every run cost a tenth of its time.
    ...(options.frugal === true ? { enableMemPattern: false } : {}),
    extra: { session: sessionEntries(options) },
    ...(options.profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
  }
}

/** onnxruntime_session_options_config_keys.h */
function sessionEntries(options: OnnxruntimeLoadOptions) {
  const { signedActivations, constantsFolder, wideSums, frugal } = options
  return {
    ...(frugal === true && { intra_op: { allow_spinning: '0' } }),
    // What is not fused computes in float, as kernels with wide sums would answer.
    ...(wideSums === true && hostHasNarrowSums() && { disable_quant_qdq: '1' }),
    ...(signedActivations === true && { qdqisint8allowed: '1' }),
    ...(constantsFolder !== undefined && {
      model_external_initializers_file_folder_path: constantsFolder,
    }),
  }
}

async function run(
  ort: typeof Ort,
  session: Ort.InferenceSession,
  infos: readonly TensorInfo[],
  given: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const feeds: Record<string, Ort.Tensor> = {}
  orderedInputs(infos, given).forEach((tensor, i) => {
    feeds[infos[i]?.name ?? ''] = toOrt(ort, tensor)
  })
  const outputs = await attempt('run-failed', 'ONNX Runtime cannot run this model', () =>
    session.run(feeds),
  )
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, fromOrt(name, value)]),
  )
}

async function close(
  session: Ort.InferenceSession,
  options: OnnxruntimeLoadOptions,
): Promise<void> {
  if (options.profilePrefix !== undefined) session.endProfiling()
  await session.release()
}

async function attempt<T>(code: RuntimeErrorCode, what: string, call: () => Promise<T>) {
  try {
    return await call()
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause
    const memory = /bad_alloc|failed to allocate/i.test(messageOf(cause))
    const told = memory ? 'out-of-memory' : code
    throw new RuntimeError(told, `${what}: ${firstLine(cause)}`, {}, { cause })
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0]?.trim() ?? ''
}
