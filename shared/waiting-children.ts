import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/** Child processes that wait a while for work, so that whoever comes next need not wait for one to start. They hold nobody from ending. */
export class WaitingChildren {
  readonly #keptMs: number
  /** The last that came last, each with how it is let go. */
  readonly #waiting = new Map<ChildProcess, () => void>()

  /** @param keptMs how long each waits before it is ended */
  constructor(keptMs: number) {
    this.#keptMs = keptMs
  }

  get size(): number {
    return this.#waiting.size
  }

  put(child: ChildProcess): void {
    const end = () => {
      letGo()
      if (child.exitCode === null) child.kill('SIGKILL')
    }
    const timer = setTimeout(end, this.#keptMs)
    timer.unref()
    const letGo = () => {
      clearTimeout(timer)
      this.#waiting.delete(child)
      child.off('exit', end)
      child.off('error', end)
    }
    this.#waiting.set(child, letGo)
    child.once('exit', end)
    child.once('error', end)
    child.unref()
    child.channel?.unref()
    // A socket, as every pipe of a child is.
    ;(child.stderr as Socket | null)?.unref()
  }

  /** One that is alive; undefined where none waits. */
  take(): ChildProcess | undefined {
    for (const [child, letGo] of [...this.#waiting].reverse()) {
      letGo()
      if (child.exitCode !== null || !child.connected) continue
      child.ref()
      child.channel?.ref()
      return child
    }
    return undefined
  }
}
