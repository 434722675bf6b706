export * from './artifact-copy.ts'
export { CopyError } from './errors.ts'
export type { ShownCertificate } from './range-request.ts'
