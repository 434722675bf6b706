import { setFlagsFromString } from 'node:v8'
import { BUILDS, buildFor } from './builds.ts'
import { readBuildFile } from './package-files.ts'

/** Node has it; the compiler's library without the DOM does not. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> }

/** As long as this process lives. */
let held: Promise<object | undefined> | undefined

/**
 * V8 shares the machine code of equal modules between threads while one of them holds it, optimised functions
 * included. Sessions end with their threads; what is held here lets the next one start where the last one ended
 * (measured on ic01: half the processor time of a calibration). For processes that start several threads.
 */
export async function holdMachineCode(): Promise<void> {
  held ??= compiled()
  await held
}

/** What hinders it is told by the thread that needs the module. */
async function compiled(): Promise<object | undefined> {
  const file = BUILDS[buildFor(1)].file.replace(/\.js$/, '.wasm')
  try {
    return await WebAssembly.compile(readBuildFile(file))
  } catch {
    return undefined
  }
}

/**
 * V8 runs a wasm function as quickly compiled code first, and compiles it better in the background while it runs: until
 * then a model takes up to three times as long (motor-faults on two threads of two busy cores: 1.7 ms, then 0.65 ms), and
 * for a while equally long, so that nothing in its times tells that they will fall.
 */
export const OPTIMISED_AFTER_MS = 400

/** How long a wasm function runs before V8 compiles it once more, better: fifty times the default. */
const PATIENT_BUDGET = 90_000_000

/** Functions are validated when they are first called, which saves half of the start. Before the first model is loaded. */
export function validateLate(): void {
  setFlagsFromString('--wasm-lazy-validation')
}

/**
 * For processes that run a model some hundred times at most: what runs is also optimised later, which is half of the
 * processor time else; a heavy model still gets there. Before the first model is loaded.
 */
export function startQuickly(): void {
  validateLate()
  setFlagsFromString(`--wasm-tiering-budget=${PATIENT_BUDGET}`)
}
