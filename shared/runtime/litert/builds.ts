import { setFlagsFromString } from 'node:v8'

/**
 * The wasm builds the package ships. Measured on x86 with VNNI: under V8 ≥ 11.4 (Node 22, 24) relaxed SIMD
 * makes float 1.3× and int8 2× faster than plain SIMD; under V8 11.3 (Node 20), where it hides behind a flag,
 * it makes int8 1.5× slower. Hence: relaxed only where the engine takes it without a flag.
 */
export const BUILDS = {
  simd: { file: 'litert_wasm_compat_internal.js', relaxed: false, threads: false },
  'relaxed-simd': { file: 'litert_wasm_internal.js', relaxed: true, threads: false },
  threads: { file: 'litert_wasm_threaded_internal.js', relaxed: true, threads: true },
} as const

export type BuildName = keyof typeof BUILDS

/** () → i8x16.relaxed_swizzle of two splats: valid only where the engine has relaxed SIMD. */
const RELAXED_SIMD_PROBE = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02,
  0x01, 0x00, 0x0a, 0x10, 0x01, 0x0e, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd,
  0x80, 0x02, 0x1a, 0x0b,
])

/** Node has it; the compiler's library without the DOM does not. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean }

export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_SIMD_PROBE)
}

/** Only one build has threads, and it uses relaxed SIMD. */
export function buildFor(threads: number): BuildName {
  if (threads > 1) return 'threads'
  return hasRelaxedSimd() ? 'relaxed-simd' : 'simd'
}

/** V8 11.3 implements relaxed SIMD behind a flag; it may be set until the module is compiled. */
export function enableRelaxedSimd(): boolean {
  if (hasRelaxedSimd()) return true
  setFlagsFromString('--experimental-wasm-relaxed-simd')
  return hasRelaxedSimd()
}
