import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../errors.ts'
import type { Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import type { Session, SessionDetails, TensorInfo } from '../runtime.ts'
import type { EngineOptions } from './engine.ts'
import { holdMachineCode, OPTIMISED_AFTER_MS } from './machine-code.ts'
import type { RunRequest, WorkerReply, WorkerTask } from './worker-messages.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

interface Waiting {
  resolve(reply: WorkerReply): void
  reject(error: RuntimeError): void
}

/** One thread, one model: closing the session ends the thread and with it the whole wasm heap. */
export class WorkerSession implements Session {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly details: SessionDetails
  readonly optimisedAfterMs = OPTIMISED_AFTER_MS
  readonly #thread: SessionThread

  private constructor(thread: SessionThread, loaded: Extract<WorkerReply, { kind: 'loaded' }>) {
    this.#thread = thread
    this.inputs = loaded.inputs
    this.outputs = loaded.outputs
    this.details = loaded.details
  }

  static async open(
    model: Uint8Array,
    options: EngineOptions,
    timeoutMs: number,
  ): Promise<WorkerSession> {
    void holdMachineCode()
    const thread = new SessionThread({ model, options })
    const timer = setTimeout(() => {
      void thread.stop(
        new RuntimeError('not-loadable', `LiteRT did not load this model in ${timeoutMs} ms`),
      )
    }, timeoutMs)
    try {
      const reply = await thread.answer()
      if (reply.kind !== 'loaded') throw failure(reply)
      return new WorkerSession(thread, reply)
    } catch (error) {
      await thread.stop()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const reply = await this.#thread.ask({ inputs })
    if (reply.kind !== 'ran') throw failure(reply)
    return reply.outputs
  }

  async close(): Promise<void> {
    await this.#thread.stop()
  }
}

/** The thread and who waits for it. It keeps the process alive only while somebody does. */
class SessionThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #gone: RuntimeError | undefined

  constructor(task: WorkerTask) {
    this.#worker = new Worker(ENTRY, { workerData: task, execArgv: [] })
    this.#worker.on('message', (reply: WorkerReply) => {
      this.#waiting.shift()?.resolve(reply)
      // Who stops the thread waits for its end, and late answers must not let the process go before.
      if (this.#waiting.length === 0 && this.#gone === undefined) this.#worker.unref()
    })
    this.#worker.on('error', (error) => {
      this.#end(
        new RuntimeError('run-failed', `LiteRT stopped: ${messageOf(error)}`, {}, { cause: error }),
      )
    })
    this.#worker.on('exit', () => {
      this.#end(new RuntimeError('run-failed', 'LiteRT stopped without an answer'))
    })
  }

  ask(request: RunRequest): Promise<WorkerReply> {
    const answer = this.answer()
    if (this.#gone === undefined) this.#worker.postMessage(request)
    return answer
  }

  answer(): Promise<WorkerReply> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  async stop(reason = new RuntimeError('run-failed', 'the session is closed')): Promise<void> {
    this.#end(reason)
    await this.#worker.terminate()
  }

  #end(reason: RuntimeError): void {
    this.#gone ??= reason
    for (const one of this.#waiting.splice(0)) one.reject(this.#gone)
  }
}

function failure(reply: WorkerReply): RuntimeError {
  return reply.kind === 'failed'
    ? new RuntimeError(reply.code, reply.message)
    : new RuntimeError('run-failed', `LiteRT answered out of turn: ${reply.kind}`)
}
