export {
  cloneModel,
  constantOf,
  type OptionsName,
  operatorName,
  optionsOf,
} from './access.ts'
export { checkTflite } from './check.ts'
export { readTflite } from './codec/read.ts'
export { writeTflite } from './codec/write.ts'
export { TfliteError, type TfliteErrorCode } from './errors.ts'
export { inspectTflite } from './inspect.ts'
export { newerThan } from './loadable.ts'
export type * from './model.ts'
export { prepare } from './prepare/prepare.ts'
export {
  bytesOfElements,
  TENSOR_TYPES,
  type TensorArray,
  type TensorTypeName,
} from './tensor-types.ts'
export { viewOf } from './view.ts'
