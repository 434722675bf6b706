export { readSample } from './sample-files.ts'
export { createSampleStore, type SampleKeeping, type SampleStore } from './sample-store.ts'
