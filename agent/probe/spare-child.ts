import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keptOn } from '../../shared/cores/index.ts'
import { WaitingChildren } from '../../shared/waiting-children.ts'

const ENTRY = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url))
/** A probe that follows another comes within seconds; a process that waits longer only takes memory. */
const KEPT_MS = 10_000

const spare = new WaitingChildren(KEPT_MS)

/** A process for one probe: the one that waits, or a new one. @param cores null: anywhere */
export function childFor(cores: readonly number[] | null): ChildProcess {
  const waiting = cores === null ? spare.take() : undefined
  if (waiting) return waiting
  // Where nothing can keep it there it runs anywhere: `taskset` is a part of every Linux but the smallest.
  return started(keptOn(cores) ?? { execPath: process.execPath, execArgv: [] })
}

/**
 * Starts the process of a probe that is likely to come soon, which then need not wait for Node to start. It has loaded no
 * runtime, ends by itself when none comes, and holds nobody from ending.
 */
export function keepSpare(): void {
  if (spare.size === 0) spare.put(started({ execPath: process.execPath, execArgv: [] }))
}

function started(how: { readonly execPath: string; readonly execArgv: string[] }): ChildProcess {
  return fork(ENTRY, [], { ...how, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}
