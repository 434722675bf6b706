export { type Family, family, type Labels, type Sample, textOf } from './families.ts'
export { processFamilies } from './process-families.ts'
