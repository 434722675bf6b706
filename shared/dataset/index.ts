export { quantize, realValues } from './convert.ts'
export {
  type Dataset,
  type LabelKind,
  pickSamples,
  readDataset,
  rowOf,
  takeSamples,
  toArrays,
  toDataset,
} from './dataset.ts'
export { DatasetError, type DatasetErrorCode } from './errors.ts'
export type { TextArray } from './npy.ts'
export { type ReadOptions, readArrays } from './npz.ts'
export { type Samples, samplesFor } from './samples.ts'
export { formatNpz, writeNpz } from './write-npz.ts'
