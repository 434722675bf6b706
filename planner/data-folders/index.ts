export { DataFolderError, type DataFolderErrorCode } from './errors.ts'
export { type Preprocessing, parsePreprocessing } from './preprocessing.ts'
export { readSamples, type SampleOptions } from './read-samples.ts'
