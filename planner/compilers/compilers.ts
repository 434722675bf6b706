import type { CompilerName } from '../targets/index.ts'
import type { Compiler } from './compiler.ts'
import { EDGETPU_COMPILER } from './rows/edgetpu.ts'
import { VELA } from './rows/vela.ts'

/** Every compiler, a row each: a target that names one without a row does not compile. */
export const COMPILERS: Readonly<Record<CompilerName, Compiler>> = {
  vela: VELA,
  edgetpu_compiler: EDGETPU_COMPILER,
}
