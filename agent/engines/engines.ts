import { stat } from 'node:fs/promises'
import {
  acceleratorOf,
  type EngineEntry,
  type ProposedEngine,
  type UnusableEngine,
} from '../../shared/messages/index.ts'
import { RUNTIMES, type RuntimeName, runtimeOfFiles } from '../../shared/runtime/index.ts'
import type { Engine } from './engine.ts'
import { type EngineScan, type EngineSettings, findEngines } from './find-engines.ts'

/** An engine by the words of an order. */
export interface EngineName {
  readonly runtime: string
  /** Absent or null: the processor alone. */
  readonly accelerator?: string | null | undefined
}

/** The engines of this device, none before the first look: looked for again when a file of them changes. */
export class Engines {
  readonly #settings: () => Promise<EngineSettings>
  #scan: EngineScan = { engines: [], unusable: [] }
  /** Size and time of every file that was named. */
  #files: string | undefined

  constructor(settings: () => Promise<EngineSettings>) {
    this.#settings = settings
  }

  get all(): readonly Engine[] {
    return this.#scan.engines
  }

  /** Runtimes in whose name files are released that can be run here. */
  get fileRuntimes(): readonly RuntimeName[] {
    return [
      ...new Set(
        this.all.flatMap(({ runtime }) => [runtime, runtimeOfFiles(RUNTIMES[runtime].format)]),
      ),
    ]
  }

  find({ runtime, accelerator = null }: EngineName): Engine | undefined {
    return this.all.find(
      (engine) => engine.runtime === runtime && acceleratorOf(engine) === accelerator,
    )
  }

  /** The engine for a file of this runtime where nobody says which: its own, or the first that takes such files. */
  forFilesOf(runtime: RuntimeName): Engine | undefined {
    const { format } = RUNTIMES[runtime]
    return (
      this.find({ runtime }) ??
      this.all.find((engine) => RUNTIMES[engine.runtime].format === format)
    )
  }

  /** Looks again where a file has another size or time than when it was read. Answers whether anything is new. */
  async refresh(): Promise<boolean> {
    const now = await this.#settings()
    const files = await filesOf(now)
    if (files === this.#files) return false
    const before = JSON.stringify(this.#scan)
    this.#scan = await findEngines(now)
    this.#files = files
    return JSON.stringify(this.#scan) !== before
  }

  /** For births. */
  get entries(): EngineEntry[] {
    return this.all.map(({ runtime, version, library, delegates, device }) => ({
      name: runtime,
      version,
      ...(library && { library }),
      ...(delegates.length > 0 && { delegates: delegates.map((one) => ({ ...one })) }),
      ...(device !== null && { device }),
    }))
  }

  /** Those of the files that no engine uses, and that were not tried in vain. */
  without(found: readonly ProposedEngine[]): ProposedEngine[] {
    const known = new Set([
      ...this.all.flatMap(({ library, delegates }) =>
        [library, ...delegates].map((one) => one?.path),
      ),
      ...this.#scan.unusable.map(({ path }) => path),
    ])
    return found.filter(({ path }) => !known.has(path)).slice(0, 32)
  }

  get unusable(): UnusableEngine[] {
    return this.#scan.unusable.map((one) => ({ ...one, message: one.message.slice(0, 300) }))
  }
}

async function filesOf({ libraries, delegates }: EngineSettings): Promise<string> {
  const paths = [...libraries, ...delegates].map(({ path }) => path)
  const told = paths.map(async (path) => {
    const facts = await stat(path).catch(() => undefined)
    return `${path} ${facts?.size} ${facts?.mtimeMs} ${facts?.ino}`
  })
  return (await Promise.all(told)).join('\n')
}
