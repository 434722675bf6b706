import { readFileSync } from 'node:fs'

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** What a process has taken so far, by the kernel's word: its own threads, not its children. */
export interface Usage {
  /** User and system, s. */
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** Most it ever had at once. */
  readonly peakRssBytes: number
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces: fields are counted from behind it. proc(5): utime is 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    rssBytes: 1024 * kib('VmRSS'),
    peakRssBytes: 1024 * kib('VmHWM'),
  }
}
