import { acceleratorOf, engineName } from '../../shared/messages/index.ts'
import type { EngineChoice, RuntimeName } from '../../shared/runtime/index.ts'

/** A delegate that this device was told of, as it lies on disk. */
export interface EngineDelegate {
  /** What it is called in settings and targets: `vx`, `ethos-u`… */
  readonly name: string
  readonly path: string
  /** sha256 of its file. */
  readonly digest: string
  readonly options: Readonly<Record<string, string>>
}

/** One way in which this device runs models. Measurements of different engines are never mixed. */
export interface Engine {
  readonly runtime: RuntimeName
  readonly version: string
  /** Of native runtimes. */
  readonly library: { readonly path: string; readonly digest: string } | null
  /** Asked in this order. */
  readonly delegates: readonly EngineDelegate[]
  /** Of runtimes that know several; null: the processor. */
  readonly device: string | null
}

/** `tflite+vx` */
export function nameOf(engine: Engine): string {
  return engineName(engine.runtime, acceleratorOf(engine))
}

/** As child processes are told. */
export function choiceOf({ runtime, library, delegates, device }: Engine): EngineChoice {
  return {
    runtime,
    ...(library && { library: library.path }),
    ...(delegates.length > 0 && {
      delegates: delegates.map(({ path, options }) => ({ path, options })),
    }),
    ...(device !== null && { device }),
  }
}
