export {
  findNative,
  type NativeBoard,
  type NativeDelegate,
  type NativeFindings,
  type NativeLibrary,
} from './find-native.ts'
export { readNativeTable } from './read-table.ts'
export { type NativeTable, nativeTableSchema } from './table.ts'
