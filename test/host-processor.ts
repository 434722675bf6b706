import { hostHasNarrowSums as foundNarrow } from '../shared/runtime/onnxruntime/narrow-sums.ts'

/**
 * ONNX Runtime's kernels for x86 without VNNI add two products in 16 bits: full 8-bit weights may saturate there, and
 * an accuracy that other hosts reach says nothing. Tests of accuracy then take the form that is right on such a host.
 */
export const hostHasNarrowSums: boolean = foundNarrow()

/** The scheme with weights that this host's sums can hold. */
export function heldByThisHost(scheme: string): string {
  return hostHasNarrowSums ? `${scheme}-rr` : scheme
}
