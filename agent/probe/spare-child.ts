import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keptOn } from '../../shared/cores/index.ts'

const ENTRY = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url))
/** A probe that follows another comes within seconds; a process that waits longer only takes memory. */
const KEPT_MS = 10_000

let spare: { readonly child: ChildProcess; readonly timer: NodeJS.Timeout } | undefined

/** A process for one probe: the one that waits, or a new one. @param cores null: anywhere */
export function childFor(cores: readonly number[] | null): ChildProcess {
  const waiting = cores === null ? takeSpare() : undefined
  if (waiting) return waiting
  // Where nothing can keep it there it runs anywhere: `taskset` is a part of every Linux but the smallest.
  return started(keptOn(cores) ?? { execPath: process.execPath, execArgv: [] })
}

/**
 * Starts the process of a probe that is likely to come soon, which then need not wait for Node to start. It has loaded no
 * runtime, ends by itself when none comes, and holds nobody from ending.
 */
export function keepSpare(): void {
  if (spare) return
  const child = started({ execPath: process.execPath, execArgv: [] })
  child.unref()
  child.channel?.unref()
  // A socket, as every pipe of a child is.
  ;(child.stderr as Socket | null)?.unref()
  const timer = setTimeout(dropSpare, KEPT_MS)
  timer.unref()
  child.once('exit', dropSpare)
  spare = { child, timer }
}

function dropSpare(): void {
  if (!spare) return
  const { child, timer } = spare
  spare = undefined
  clearTimeout(timer)
  child.off('exit', dropSpare)
  child.kill('SIGKILL')
}

function takeSpare(): ChildProcess | undefined {
  if (!spare) return undefined
  const { child, timer } = spare
  spare = undefined
  clearTimeout(timer)
  child.off('exit', dropSpare)
  if (child.exitCode !== null || !child.connected) return undefined
  child.ref()
  child.channel?.ref()
  return child
}

function started(how: { readonly execPath: string; readonly execArgv: string[] }): ChildProcess {
  return fork(ENTRY, [], { ...how, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}
