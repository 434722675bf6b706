/** What is called of LiteRT's C API (litert/c of 2.1.5 to 2.3); every function but the destroying ones returns a status. */
export const LITERT = {
  createEnvironment:
    'int LiteRtCreateEnvironment(int count, const void* options, _Out_ void** out)',
  destroyEnvironment: 'void LiteRtDestroyEnvironment(void* environment)',
  destroyModel: 'void LiteRtDestroyModel(void* model)',
  createOptions: 'int LiteRtCreateOptions(_Out_ void** out)',
  destroyOptions: 'void LiteRtDestroyOptions(void* options)',
  setAccelerators: 'int LiteRtSetOptionsHardwareAccelerators(void* options, int which)',
  createOpaque:
    'int LiteRtCreateOpaqueOptions(const char* id, void* payload, void* free, _Out_ void** out)',
  addOpaque: 'int LiteRtAddOpaqueOptions(void* options, void* opaque)',
  createCompiled:
    'int LiteRtCreateCompiledModel(void* environment, void* model, void* options, _Out_ void** out)',
  destroyCompiled: 'void LiteRtDestroyCompiledModel(void* compiled)',
  isFullyAccelerated: 'int LiteRtCompiledModelIsFullyAccelerated(void* compiled, _Out_ bool* out)',
  resizeInput:
    'int LiteRtCompiledModelResizeInputTensor(void* compiled, size_t signature, size_t input, const int* dims, size_t rank)',
  inputLayout:
    'int LiteRtGetCompiledModelInputTensorLayout(void* compiled, size_t signature, size_t input, _Out_ LiteRtLayout* out)',
  outputLayouts:
    'int LiteRtGetCompiledModelOutputTensorLayouts(void* compiled, size_t signature, size_t count, void* out, bool update)',
  createBuffer:
    'int LiteRtCreateManagedTensorBuffer(void* environment, int kind, const LiteRtRankedTensorType* type, size_t bytes, _Out_ void** out)',
  destroyBuffer: 'void LiteRtDestroyTensorBuffer(void* buffer)',
  lock: 'int LiteRtLockTensorBuffer(void* buffer, _Out_ void** out, int mode)',
  unlock: 'int LiteRtUnlockTensorBuffer(void* buffer)',
  run: 'int LiteRtRunCompiledModel(void* compiled, size_t signature, size_t ins, void** inputs, size_t outs, void** outputs)',
} as const

/** Two parameters until 2.1.5; from 2.1.6 on the environment stands before them, and `LiteRtCreateModelFromFd` exists. */
export const MODEL_FROM_BUFFER = {
  before: 'int LiteRtCreateModelFromBuffer(const void* data, size_t bytes, _Out_ void** out)',
  since:
    'int LiteRtCreateModelFromBuffer(void* environment, const void* data, size_t bytes, _Out_ void** out)',
} as const

/** `LiteRtStatus` (litert/c/litert_common.h); the library cannot print them itself. */
export const STATUSES: Readonly<Record<number, string>> = {
  1: 'invalid argument',
  2: 'out of memory',
  3: 'runtime failure',
  4: 'missing input',
  5: 'unsupported',
  6: 'not found',
  7: 'timeout',
  8: 'wrong version',
  9: 'unknown failure',
  10: 'already exists',
  500: 'the file cannot be read',
  501: 'no valid model',
  502: 'invalid index',
  503: 'invalid IR type',
  504: 'invalid graph',
  1000: 'invalid legalization',
  1500: 'an operator is not supported',
  1501: 'operator not found',
  2000: 'a delegate cannot take the graph',
}
