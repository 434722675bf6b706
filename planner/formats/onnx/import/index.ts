export { ImportError } from './errors.ts'
export { type Imported, importTflite } from './import-tflite.ts'
