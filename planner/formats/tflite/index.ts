export {
  ARRAY_OF_TENSOR,
  cloneModel,
  constantOf,
  type OptionsName,
  operatorName,
  optionsOf,
  type TensorArray,
} from './access.ts'
export { checkTflite } from './check.ts'
export { TfliteError, type TfliteErrorCode } from './errors.ts'
export type * from './model.ts'
export { readTflite } from './read.ts'
export { writeTflite } from './write.ts'
