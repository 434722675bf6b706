import { setFlagsFromString } from 'node:v8'

/**
 * The wasm builds the package ships. Relaxed SIMD against plain SIMD, measured in turns on x86 with VNNI: under Node 20
 * float takes 0.80–0.97 of the time and int8 as long; under Node 24 about 0.7 and 0.5 (fastest runs). Node 20 has it only
 * behind a V8 flag, which is set for the threaded build alone.
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

function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_SIMD_PROBE)
}

/** Asked by version, not by trying: once the flag is set for one session, trying says yes to all. */
const RELAXED_WITHOUT_FLAG = isAtLeast(process.versions.v8, [11, 4])

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, oursMinor = 0] = version.split('.').map(Number)
  return ours > major || (ours === major && oursMinor >= minor)
}

/** Only one build has threads, and it uses relaxed SIMD. */
export function buildFor(threads: number): BuildName {
  if (threads > 1) return 'threads'
  return RELAXED_WITHOUT_FLAG ? 'relaxed-simd' : 'simd'
}

/** V8 11.3 implements relaxed SIMD behind a flag, which may be set until the module is compiled. */
export function enableRelaxedSimd(): boolean {
  if (hasRelaxedSimd()) return true
  setFlagsFromString('--experimental-wasm-relaxed-simd')
  return hasRelaxedSimd()
}
