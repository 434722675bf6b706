export * from './authority.ts'
export type { DirectedVariant, Direction } from './director.ts'
export type { ReleasedVariant } from './documents.ts'
export * from './errors.ts'
export * from './key-ring.ts'
export { LIFETIMES, type Lifetimes } from './lifetimes.ts'
export {
  type Batch,
  type BatchSignatures,
  batchKeyIds,
  describeBatch,
  isComplete,
  parseBatch,
  parseBatchSignatures,
  signBatch,
} from './pending.ts'
export type { PolicyChange } from './policy.ts'
export { missingSignatures } from './signing-request.ts'
