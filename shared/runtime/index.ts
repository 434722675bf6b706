export { type EngineChoice, loadOn, openHere, openIsolated } from './engine.ts'
export { RuntimeError, type RuntimeErrorCode } from './errors.ts'
export { printType } from './input-check.ts'
export { installedRuntimes } from './installed.ts'
export { customOperatorObstacle } from './litert/custom-operators.ts'
export type { LitertLoadOptions } from './litert/litert-runtime.ts'
export { holdMachineCode, startQuickly, validateLate } from './litert/machine-code.ts'
export { loadInProcess, loadRuntime, type RuntimePlace } from './load-runtime.ts'
export { architectureOf, libraryFacts } from './native/library-file.ts'
export { forbidTelemetry, loadNative } from './onnxruntime/native.ts'
export type { OnnxruntimeLoadOptions } from './onnxruntime/onnxruntime.ts'
export {
  type DelegateChoice,
  type Delegation,
  isPackaged,
  type LibraryFacts,
  type LoadOptions,
  MODEL_FORMAT_NAMES,
  type ModelFormat,
  PACKAGED_RUNTIMES,
  type PackagedRuntime,
  type PartTime,
  RUNTIME_NAMES,
  RUNTIMES,
  type Runtime,
  type RuntimeName,
  repeatable,
  runtimeOfFiles,
  type Session,
  type SessionDetails,
  type TensorInfo,
  takesFormat,
} from './runtime.ts'
export { BUILTIN_OPERATORS } from './tflite-file/builtin-operators.ts'
export { zerosFor } from './zeros.ts'
