export { CapturedSamples, readCaptured } from './captured.ts'
export { MOST_LINE_BYTES } from './observation-line.ts'
export { Observer, type ObserverOptions } from './observer.ts'
export { SampleUploads } from './uploads.ts'
