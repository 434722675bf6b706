import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../errors.ts'
import { MetricError } from '../errors.ts'
import type { FromScript, ToScript } from './messages.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/** A thread with a user's metric. What it prints goes to standard error: results stand on standard output. */
export class ScriptThread {
  readonly #worker: Worker
  readonly #path: string
  readonly #limitMs: number

  /** @param limitMs longest that any answer may take */
  constructor(url: string, path: string, limitMs: number) {
    this.#worker = new Worker(ENTRY, { workerData: url, stdout: true })
    this.#worker.stdout.pipe(process.stderr, { end: false })
    this.#path = path
    this.#limitMs = limitMs
  }

  /** @throws MetricError `script-failed`, `script-timeout` */
  async ask<K extends FromScript['kind']>(
    kind: K,
    message: ToScript,
  ): Promise<Extract<FromScript, { kind: K }>> {
    this.#worker.postMessage(message)
    const reply = await this.#next()
    if (reply.kind === kind) return reply as Extract<FromScript, { kind: K }>
    await this.close()
    throw this.#failed(reply.kind === 'failed' ? reply.message : 'it answered out of turn')
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #next(): Promise<FromScript> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        this.#worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      }
      const onMessage = (reply: FromScript) => {
        settle()
        resolve(reply)
      }
      const onError = (error: unknown) => {
        settle()
        reject(this.#failed(messageOf(error)))
      }
      const onExit = () => {
        settle()
        reject(this.#failed('it ended its thread'))
      }
      const timer = setTimeout(() => {
        settle()
        void this.close().then(() => reject(this.#tooSlow()))
      }, this.#limitMs)
      this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    })
  }

  #failed(reason: string): MetricError {
    return new MetricError('script-failed', `metric ${this.#path} failed: ${reason}`, {
      path: this.#path,
    })
  }

  #tooSlow(): MetricError {
    const seconds = this.#limitMs / 1000
    return new MetricError(
      'script-timeout',
      `metric ${this.#path} gave no answer in ${seconds} s: it hangs, or needs more time, e.g. --metric ${this.#path},seconds=${6 * seconds}`,
      { path: this.#path },
    )
  }
}
