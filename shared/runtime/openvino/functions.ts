/**
 * What is called of OpenVINO's C API (openvino/c of 2024.6 to 2026.4). All but what frees and `lastError` return a
 * status; text that comes out is freed by `ov_free`.
 */
export const OPENVINO = {
  version: 'int ov_get_openvino_version(_Out_ OvVersion* out)',
  freeVersion: 'void ov_version_free(OvVersion* version)',
  lastError: 'void* ov_get_last_err_msg()',
  free: 'void ov_free(void* text)',
  createCore: 'int ov_core_create(_Out_ void** out)',
  devices: 'int ov_core_get_available_devices(void* core, _Out_ OvDevices* out)',
  freeDevices: 'void ov_available_devices_free(OvDevices* devices)',
  /** Then a name and a value, `const char*` both. */
  setProperty: 'int ov_core_set_property(void* core, const char* device, ...)',
  property:
    'int ov_core_get_property(void* core, const char* device, const char* name, _Out_ void** out)',
  readFile:
    'int ov_core_read_model(void* core, const char* path, const char* weights, _Out_ void** out)',
  freeModel: 'void ov_model_free(void* model)',
  /** Then `texts` names and values by turns, `const char*` all. */
  compile:
    'int ov_core_compile_model(void* core, void* model, const char* device, size_t texts, _Out_ void** out, ...)',
  freeCompiled: 'void ov_compiled_model_free(void* compiled)',
  inputCount: 'int ov_compiled_model_inputs_size(void* compiled, _Out_ size_t* out)',
  outputCount: 'int ov_compiled_model_outputs_size(void* compiled, _Out_ size_t* out)',
  input: 'int ov_compiled_model_input_by_index(void* compiled, size_t index, _Out_ void** out)',
  output: 'int ov_compiled_model_output_by_index(void* compiled, size_t index, _Out_ void** out)',
  compiledProperty:
    'int ov_compiled_model_get_property(void* compiled, const char* name, _Out_ void** out)',
  freePort: 'void ov_output_const_port_free(void* port)',
  portName: 'int ov_port_get_any_name(void* port, _Out_ void** out)',
  portType: 'int ov_port_get_element_type(void* port, _Out_ int* out)',
  portShape: 'int ov_port_get_partial_shape(void* port, _Out_ OvPartialShape* out)',
  freePartialShape: 'void ov_partial_shape_free(OvPartialShape* shape)',
  createRequest: 'int ov_compiled_model_create_infer_request(void* compiled, _Out_ void** out)',
  freeRequest: 'void ov_infer_request_free(void* request)',
  setInput:
    'int ov_infer_request_set_input_tensor_by_index(void* request, size_t index, void* tensor)',
  setOutput:
    'int ov_infer_request_set_output_tensor_by_index(void* request, size_t index, void* tensor)',
  outputTensor:
    'int ov_infer_request_get_output_tensor_by_index(void* request, size_t index, _Out_ void** out)',
  infer: 'int ov_infer_request_infer(void* request)',
  /** Of the last inference of a model that was compiled with `PERF_COUNT`. */
  profile: 'int ov_infer_request_get_profiling_info(void* request, _Out_ OvProfile* out)',
  freeProfile: 'void ov_profiling_info_list_free(OvProfile* list)',
  createTensor: 'int ov_tensor_create(int type, OvShape shape, _Out_ void** out)',
  freeTensor: 'void ov_tensor_free(void* tensor)',
  tensorType: 'int ov_tensor_get_element_type(void* tensor, _Out_ int* out)',
  tensorShape: 'int ov_tensor_get_shape(void* tensor, _Out_ OvShape* out)',
  freeShape: 'void ov_shape_free(OvShape* shape)',
  tensorBytes: 'int ov_tensor_get_byte_size(void* tensor, _Out_ size_t* out)',
  tensorData: 'int ov_tensor_data(void* tensor, _Out_ void** out)',
} as const

/** openvino/c/ov_shape.h, ov_partial_shape.h (its rank and dimensions are pairs of least and most), ov_core.h. */
export const STRUCTS = {
  OvShape: { rank: 'int64_t', dims: 'void*' },
  OvPartialShape: { leastRank: 'int64_t', mostRank: 'int64_t', dims: 'void*' },
  OvVersion: { build: 'void*', description: 'void*' },
  OvDevices: { names: 'void*', size: 'size_t' },
  /** openvino/c/ov_infer_request.h: status is 2 where the node was executed; times in µs. */
  OvNodeTime: {
    status: 'int',
    realUs: 'int64_t',
    cpuUs: 'int64_t',
    name: 'str',
    executedAs: 'str',
    type: 'str',
  },
  OvProfile: { nodes: 'void*', size: 'size_t' },
} as const

/** `ov_status_e` (openvino/c/ov_common.h). */
export const STATUSES: Readonly<Record<number, string>> = {
  [-1]: 'failure',
  [-2]: 'not implemented',
  [-3]: 'no model is loaded',
  [-4]: 'parameters do not match',
  [-5]: 'not found',
  [-6]: 'out of bounds',
  [-7]: 'unexpected failure',
  [-8]: 'the request is busy',
  [-9]: 'the result is not ready',
  [-10]: 'not allocated',
  [-11]: 'inference was not started',
  [-12]: 'the model cannot be read',
  [-13]: 'inference was cancelled',
  [-14]: 'invalid parameter',
  [-15]: 'failure of the C API',
  [-16]: 'the C API lacks it',
  [-17]: 'unknown exception',
}

/** Nothing was thrown, so that the last error is that of another call. */
export const INVALID_PARAMETER = -14
