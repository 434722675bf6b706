import { readFileSync } from 'node:fs'

/**
 * The most memory that this program ever held. Not `resourceUsage().maxRSS`, which counts what its parent held when it
 * was forked (proc_pid_status(5), VmHWM).
 */
export function peakBytes(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kib) * 1024
}
