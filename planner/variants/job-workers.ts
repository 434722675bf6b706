import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { LastWords } from '../../shared/last-words.ts'

/** A child process for jobs on models, one at a time. */
export interface JobWorker {
  readonly child: ChildProcess
  readonly said: LastWords
}

const ENTRY = fileURLToPath(new URL('./worker.js', import.meta.url))
/** Jobs of one plan follow each other within seconds; a process that waits longer only takes memory. */
const KEPT_MS = 15_000

/** That wait for a job, the last used last. */
const waiting = new Map<JobWorker, NodeJS.Timeout>()

/** One that has its modules and runtimes loaded, where one waits. */
export function takeWorker(): JobWorker {
  const worker = [...waiting.keys()].at(-1)
  if (!worker) return started()
  drop(worker)
  const { child } = worker
  if (child.exitCode !== null || !child.connected) return takeWorker()
  child.ref()
  child.channel?.ref()
  return worker
}

/** It did its job well and takes another; it holds nobody from ending. */
export function keepWorker(worker: JobWorker): void {
  const { child } = worker
  const end = () => {
    drop(worker)
    if (child.exitCode === null) child.kill('SIGKILL')
  }
  const timer = setTimeout(end, KEPT_MS)
  timer.unref()
  waiting.set(worker, timer)
  child.once('exit', end)
  child.once('error', end)
  child.unref()
  child.channel?.unref()
}

/** Waits no more. */
function drop(worker: JobWorker): void {
  clearTimeout(waiting.get(worker))
  waiting.delete(worker)
  worker.child.removeAllListeners('exit')
  worker.child.removeAllListeners('error')
}

function started(): JobWorker {
  const child = fork(ENTRY, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  // A socket, as every pipe of a child is; whoever waits for the job waits for the process.
  ;(child.stderr as Socket | null)?.unref()
  return { child, said: new LastWords(child.stderr) }
}
