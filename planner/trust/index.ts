export * from './authority.ts'
export type { DirectedPackage, DirectedVariant, Direction } from './director.ts'
export {
  isReleasedPackage,
  type Released,
  type ReleasedPackage,
  type ReleasedVariant,
} from './documents.ts'
export * from './errors.ts'
export type { Releases } from './image-repository.ts'
export * from './key-ring.ts'
export * from './key-roles.ts'
export { LIFETIMES, type Lifetimes } from './lifetimes.ts'
export { openTrust } from './open-trust.ts'
export {
  type Batch,
  type BatchSignatures,
  batchKeyIds,
  batchSchema,
  batchSignaturesSchema,
  describeBatch,
  isComplete,
  parseBatch,
  parseBatchSignatures,
  signBatch,
} from './pending.ts'
export type { PolicyChange } from './policy.ts'
export { releasedBy } from './release-batch.ts'
export type { Shipping } from './signed-shipment.ts'
export { missingSignatures } from './signing-request.ts'
