export {
  type Accelerator,
  COMPILER_NAMES,
  type CompilerName,
  type CustomOperator,
  type Takes,
} from './accelerators/accelerator.ts'
export { type LeftOnCpu, leftOnCpu, printLeft } from './accelerators/left-on-cpu.ts'
export { onlyScheme } from './accelerators/wanted-file.ts'
export type { BorderPrice, KernelCosts } from './kernel-costs.ts'
export type { FixedParameters, KernelFacts, KernelTable, OutputRule } from './kernel-facts.ts'
export type { Target } from './target.ts'
export {
  ACCELERATED_NAMES,
  type AcceleratedName,
  referenceTarget,
  TARGET_NAMES,
  TARGETS,
  type TargetName,
  targetOf,
} from './targets.ts'
