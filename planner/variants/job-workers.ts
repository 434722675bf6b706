import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { WaitingChildren } from '../../shared/waiting-children.ts'

const ENTRY = fileURLToPath(new URL('./worker.js', import.meta.url))
/** Jobs of one plan follow each other within seconds; a process that waits longer only takes memory. */
const KEPT_MS = 15_000

const waiting = new WaitingChildren(KEPT_MS)

/** A process for one job: one that has its modules and runtimes loaded, where one waits. */
export function takeWorker(): ChildProcess {
  return waiting.take() ?? fork(ENTRY, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}

/** It did its job well and takes another. */
export function keepWorker(child: ChildProcess): void {
  waiting.put(child)
}
