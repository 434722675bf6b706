export { type Compiled, type CompileOrder, compile } from './compile.ts'
export { CompilerError, type CompilerErrorCode } from './errors.ts'
export {
  type CompilersHere,
  compilersHere,
  type FoundCompiler,
  findCompiler,
} from './find-compiler.ts'
export { type CompilerReport, compilerReportSchema, printReport } from './report.ts'
