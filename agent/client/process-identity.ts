import { readFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { z } from 'zod'

/** A process, and when it started, so that another one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot; `null` where the writer did not say, or the system has no /proc. */
  readonly startTicks: string | null
  /** Of the kernel's run; `null` like the ticks. After another boot the same number is another process. */
  readonly boot: string | null
}

export async function thisProcess(): Promise<ProcessIdentity> {
  const { pid } = process
  return { pid, startTicks: await startTicksOf(pid), boot: await bootId() }
}

export async function isAlive({ pid, startTicks, boot }: ProcessIdentity): Promise<boolean> {
  if (!answers(pid)) return false
  const present = await bootId()
  if (boot !== null && present !== null && boot !== present) return false
  const now = await startTicksOf(pid)
  return startTicks === null || now === null || now === startTicks
}

const textSchema = z.string().regex(/^[1-9][0-9]{0,9}( [0-9]{1,20}( [0-9a-f-]{36})?)?$/)

/** `<pid>`, as a shell writes it with `echo $$`, `<pid> <start ticks>`, or the same with the id of the boot. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const parsed = textSchema.safeParse(text.trim())
  if (!parsed.success) return undefined
  const [pid, startTicks = null, boot = null] = parsed.data.split(' ')
  return { pid: Number(pid), startTicks, boot }
}

export function printIdentity({ pid, startTicks, boot }: ProcessIdentity): string {
  const known = startTicks === null ? [pid] : [pid, startTicks, ...(boot === null ? [] : [boot])]
  return `${known.join(' ')}\n`
}

/** Clocks before it were not set yet: files written then say nothing of when. */
const PLAUSIBLE_MS = Date.UTC(2024, 0)
/** Clocks are corrected while a machine runs. */
const CORRECTED_MS = 60_000

/** Whether a file that was written then is of an earlier run of the kernel; false where nobody can tell. */
export function isBeforeBoot(writtenMs: number): boolean {
  const bootMs = Date.now() - 1_000 * uptime()
  return writtenMs >= PLAUSIBLE_MS && writtenMs < bootMs - CORRECTED_MS
}

/** Asked once: no process outlives its boot. */
let boot: Promise<string | null> | undefined

function bootId(): Promise<string | null> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => null,
  )
  return boot
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
