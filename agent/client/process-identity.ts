import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** A process, and when it started, so that another one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot; `null` where the writer did not say, or the system has no /proc. */
  readonly startTicks: string | null
}

export async function thisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, startTicks: await startTicksOf(process.pid) }
}

export async function isAlive({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  if (!answers(pid)) return false
  const now = await startTicksOf(pid)
  return startTicks === null || now === null || now === startTicks
}

const textSchema = z.string().regex(/^[1-9][0-9]{0,9}( [0-9]{1,20})?$/)

/** `<pid>` or `<pid> <start ticks>`, as a shell writes it with `echo $$`. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const parsed = textSchema.safeParse(text.trim())
  if (!parsed.success) return undefined
  const [pid, startTicks] = parsed.data.split(' ')
  return { pid: Number(pid), startTicks: startTicks ?? null }
}

export function printIdentity({ pid, startTicks }: ProcessIdentity): string {
  return startTicks === null ? `${pid}\n` : `${pid} ${startTicks}\n`
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** proc(5), /proc/<pid>/stat, field 22; the name in field 2 may hold spaces and parentheses. */
async function startTicksOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
