export {
  type ConversionRequest,
  convertProven,
  DEFAULT_TOLERANCE,
  type ProvenConversion,
} from './convert.ts'
export { ProofError } from './errors.ts'
export type { Proof, ProvenOutput } from './prove.ts'
