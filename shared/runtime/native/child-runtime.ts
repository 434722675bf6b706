import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LastWords } from '../../last-words.ts'
import type { Tensor } from '../../tensors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import type { LoadOptions, Runtime, RuntimeName, Session } from '../runtime.ts'
import type { ChildReply, ChildRequest } from './child-messages.ts'

const ENTRY = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url))
/** An answer that takes longer does not come. */
const ANSWER_MS = 120_000

type Loaded = Extract<ChildReply, { kind: 'loaded' }>

/**
 * A native runtime for processes that must live: every session in a child process of its own, which may crash or hang
 * without harm. @throws RuntimeError `library-unusable`, `runtime-missing`
 */
export async function openInChild(
  name: RuntimeName,
  library: string,
  answerMs: number = ANSWER_MS,
): Promise<Runtime> {
  const open = async () => {
    const child = new LibraryProcess(library, answerMs)
    const opened = await child.ask({ kind: 'open', runtime: name, library }, 'opened', {
      code: 'library-unusable',
      doing: 'while it was opened',
    })
    return { child, opened }
  }
  const { child: first, opened } = await open()
  first.end()
  return {
    name,
    version: opened.version,
    library: opened.library,
    load: async (model: Uint8Array, options: LoadOptions = {}): Promise<Session> => {
      const { child } = await open()
      const loaded = await child.ask({ kind: 'load', model, options }, 'loaded', {
        code: options.delegates?.length ? 'delegate-failed' : 'not-loadable',
        doing: `while it loaded a model${withDelegates(options)}`,
      })
      return sessionOf(child, loaded)
    },
  }
}

function withDelegates({ delegates = [] }: LoadOptions): string {
  return delegates.length === 0 ? '' : ` with ${delegates.map(({ path }) => path).join(', ')}`
}

function sessionOf(child: LibraryProcess, loaded: Loaded): Session {
  const { inputs, outputs, details, delegation } = loaded
  return {
    inputs,
    outputs,
    ...(details && { details }),
    ...(delegation && { delegation }),
    async run(given: Readonly<Record<string, Tensor>>) {
      const when = { code: 'run-failed', doing: 'while it ran a model' } as const
      return (await child.ask({ kind: 'run', inputs: given }, 'ran', when)).outputs
    },
    async close() {
      child.end()
    },
  }
}

interface When {
  /** Of a death or a silence. */
  readonly code: RuntimeErrorCode
  readonly doing: string
}

/** One child and its library. Requests are answered in order, one at a time. */
class LibraryProcess {
  readonly #library: string
  readonly #answerMs: number
  readonly #child: ChildProcess
  readonly #stderr: LastWords
  /** How it ended, once it has. */
  #end: string | undefined
  #waiting: ((reply: ChildReply | undefined) => void) | undefined

  constructor(library: string, answerMs: number) {
    this.#library = library
    this.#answerMs = answerMs
    this.#child = fork(ENTRY, [], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#stderr = new LastWords(this.#child.stderr)
    this.#child.on('message', (reply: ChildReply) => this.#waiting?.(reply))
    this.#child.on('error', (error) => this.#over(error.message))
    this.#child.on('close', (code, signal) => this.#over(signal ?? `exit code ${code}`))
  }

  /** @throws RuntimeError; the child is gone afterwards where it did not answer */
  async ask<K extends ChildReply['kind']>(
    request: ChildRequest,
    expected: K,
    { code, doing }: When,
  ): Promise<Extract<ChildReply, { kind: K }>> {
    const reply = await this.#answerTo(request)
    if (reply?.kind === expected) return reply as Extract<ChildReply, { kind: K }>
    if (reply?.kind === 'failed') {
      if (expected !== 'ran') this.end()
      throw new RuntimeError(reply.code, reply.message, reply.details)
    }
    const how =
      this.#end === undefined
        ? `did not answer in ${this.#answerMs / 1000} s`
        : `ended its process (${this.#end})`
    this.end()
    throw new RuntimeError(code, `${this.#library} ${how} ${doing}${this.#lastWords()}`, {
      library: this.#library,
    })
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #answerTo(request: ChildRequest): Promise<ChildReply | undefined> {
    if (this.#end !== undefined) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting?.(undefined), this.#answerMs)
      this.#waiting = (reply) => {
        clearTimeout(timer)
        this.#waiting = undefined
        resolve(reply)
      }
      this.#child.send(request, (error) => {
        if (error) this.#over(error.message)
      })
    })
  }

  #over(how: string): void {
    this.#end ??= how
    this.#waiting?.(undefined)
  }

  #lastWords(): string {
    const line = this.#stderr.line(/error|fatal|abort|failed/i)
    return line === '' ? '' : `: ${line}`
  }
}
