import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { WaitingChildren } from '../../shared/waiting-children.ts'
import type { JobKind } from './jobs.ts'

const ENTRY = fileURLToPath(new URL('./worker.js', import.meta.url))
/** Jobs of one plan follow each other within seconds; a process that waits longer only takes memory. */
const KEPT_MS = 15_000

const waiting = new WaitingChildren(KEPT_MS)

/** A process for one job: one that has its modules and runtimes loaded, where one waits. */
export function takeWorker(): ChildProcess {
  return waiting.take() ?? started([])
}

/** Jobs of this kind are about to come: a processor that has nothing to do meanwhile loads what they need. */
export function expectJobs(kind: JobKind): void {
  if (waiting.size === 0 && availableParallelism() > 1) waiting.put(started([kind]))
}

/** It did its job well and takes another. */
export function keepWorker(child: ChildProcess): void {
  waiting.put(child)
}

function started(expected: readonly JobKind[]): ChildProcess {
  return fork(ENTRY, expected, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}
