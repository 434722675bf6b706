import { readFileSync } from 'node:fs'

/**
 * ONNX Runtime's kernels for x86 without VNNI add two products of 8 bits in 16: full weights may saturate there, and what
 * they answer says nothing of other processors.
 */
export function hostHasNarrowSums(): boolean {
  known ??= process.arch === 'x64' && !/\bavx512_vnni\b|\bavx_vnni\b/.test(processors())
  return known
}

let known: boolean | undefined

/** Nothing where the system does not tell. */
function processors(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return 'avx_vnni'
  }
}
