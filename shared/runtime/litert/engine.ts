import { messageOf } from '../../errors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import type { LoadOptions } from '../runtime.ts'
import { withCopiedOutputs } from '../tflite-file/copied-outputs.ts'
import { readable, readModelIo } from '../tflite-file/model-io.ts'
import { withSettledReshapes } from '../tflite-file/settled-reshapes.ts'
import type { Environment, LitertModule } from './bindings.ts'
import { type BuildName, buildFor, enableRelaxedSimd } from './builds.ts'
import { refuseUnknownOperators } from './custom-operators.ts'
import { type KernelChoice, selectKernels } from './kernels.ts'
import { LitertModel } from './model.ts'
import { startModule } from './module.ts'

const NOT_ALLOCATED = /failed to allocate tensors/i

export interface EngineOptions extends LoadOptions {
  /** `xnnpack` (the default) or one of LiteRT's own kernel sets, for cross-checks: 10–40 times slower. */
  readonly kernels?: KernelChoice
}

/**
 * LiteRT as a wasm instance in this thread: synchronous, and its outputs can be read in place. For worker threads
 * and child processes; a trap in the wasm code leaves the instance unusable, so a process that must live uses
 * `litertRuntime` instead.
 */
export class LitertEngine {
  readonly module: LitertModule
  readonly environment: Environment
  readonly build: BuildName
  readonly threads: number
  readonly kernels: KernelChoice
  /** The number to hand to LiteRT as its threads: see kernels.ts. */
  readonly threadsArgument: number
  readonly #log: string[]

  private constructor(
    module: LitertModule,
    log: string[],
    how: { build: BuildName; threads: number; kernels: KernelChoice },
  ) {
    this.module = module
    this.#log = log
    this.build = how.build
    this.threads = how.threads
    this.kernels = how.kernels
    this.threadsArgument =
      how.kernels === 'xnnpack' ? how.threads : selectKernels(module, how.kernels)
    this.environment = module.LiteRtEnvironment.create(null)
  }

  /** Takes about 0.1 s. @throws RuntimeError `runtime-missing` */
  static async start(options: EngineOptions = {}): Promise<LitertEngine> {
    const wanted = Math.max(1, Math.trunc(options.threads ?? 1))
    const kernels = options.kernels ?? 'xnnpack'
    // The threaded build needs relaxed SIMD; LiteRT's own kernels are single-threaded here.
    const threads = wanted > 1 && kernels === 'xnnpack' && enableRelaxedSimd() ? wanted : 1
    const build = buildFor(threads)
    const log: string[] = []
    const module = await startModule(build, threads, (line) => log.push(line))
    return new LitertEngine(module, log, { build, threads, kernels })
  }

  /** @throws RuntimeError `not-loadable`, `out-of-memory` */
  load(given: Uint8Array): LitertModel {
    readable(() => refuseUnknownOperators(given))
    const bytes = withCopiedOutputs(withSettledReshapes(given))
    return new LitertModel(this, bytes, readModelIo(bytes))
  }

  /** Runs calls into the wasm module and turns what they throw into one line. */
  guarded<T>(code: RuntimeErrorCode, what: string, calls: () => T): T {
    this.#log.length = 0
    let result: T
    try {
      result = calls()
    } catch (cause) {
      if (cause instanceof RuntimeError) throw cause
      throw new RuntimeError(code, `${what}: ${this.#reason(cause)}`, {}, { cause })
    }
    // LiteRT logs it, goes on, and gives out whatever lay in memory.
    if (this.#log.some((line) => NOT_ALLOCATED.test(line)))
      throw new RuntimeError(code, `${what}: its tensors were not allocated: ${this.#reason('')}`)
    return result
  }

  /** LiteRT's exceptions carry source lines of its own; what went wrong stands in its log. */
  #reason(cause: unknown): string {
    const logged = this.#log.map((line) => line.replace(/^\[[^\]]*\]\s*/, '').trim())
    return logged.find((line) => line !== '') ?? messageOf(cause).split('\n')[0] ?? ''
  }
}
