export {
  type CapturedSample,
  MOST_SAMPLE_BYTES,
  type Ports,
  parseCaptured,
} from './captured-sample.ts'
export { type FiledSample, type SamplesFile, samplesFile } from './samples-file.ts'
