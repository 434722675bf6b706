export type { BorderPrice, KernelCosts } from './kernel-costs.ts'
export type { FixedParameters, KernelFacts, KernelTable, OutputRule } from './kernel-facts.ts'
export { referenceTarget, TARGETS, type Target, type TargetName, targetOf } from './targets.ts'
