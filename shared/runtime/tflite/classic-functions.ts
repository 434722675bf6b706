/** What is called of TensorFlow Lite's C API: tensorflow/lite/c/c_api.h, unchanged from 2.3 to 2.18. */
export const CLASSIC = {
  version: 'const char* TfLiteVersion()',
  createModel: 'void* TfLiteModelCreate(const void* data, size_t size)',
  deleteModel: 'void TfLiteModelDelete(void* model)',
  createOptions: 'void* TfLiteInterpreterOptionsCreate()',
  deleteOptions: 'void TfLiteInterpreterOptionsDelete(void* options)',
  setThreads: 'void TfLiteInterpreterOptionsSetNumThreads(void* options, int32_t threads)',
  setReporter:
    'void TfLiteInterpreterOptionsSetErrorReporter(void* options, void* reporter, void* data)',
  createInterpreter: 'void* TfLiteInterpreterCreate(void* model, void* options)',
  deleteInterpreter: 'void TfLiteInterpreterDelete(void* interpreter)',
  modifyGraph: 'int TfLiteInterpreterModifyGraphWithDelegate(void* interpreter, void* delegate)',
  allocate: 'int TfLiteInterpreterAllocateTensors(void* interpreter)',
  resizeInput:
    'int TfLiteInterpreterResizeInputTensor(void* interpreter, int32_t index, const int32_t* dims, int32_t rank)',
  invoke: 'int TfLiteInterpreterInvoke(void* interpreter)',
  inputCount: 'int32_t TfLiteInterpreterGetInputTensorCount(void* interpreter)',
  outputCount: 'int32_t TfLiteInterpreterGetOutputTensorCount(void* interpreter)',
  input: 'void* TfLiteInterpreterGetInputTensor(void* interpreter, int32_t index)',
  output: 'void* TfLiteInterpreterGetOutputTensor(void* interpreter, int32_t index)',
  type: 'int TfLiteTensorType(void* tensor)',
  rank: 'int32_t TfLiteTensorNumDims(void* tensor)',
  dim: 'int32_t TfLiteTensorDim(void* tensor, int32_t axis)',
  bytes: 'size_t TfLiteTensorByteSize(void* tensor)',
  data: 'void* TfLiteTensorData(void* tensor)',
  copyOut: 'int TfLiteTensorCopyToBuffer(void* tensor, void* data, size_t size)',
} as const
