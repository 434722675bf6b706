import { readFileSync, writeFileSync } from 'node:fs'

/** Resident memory of a process, bytes: now, and the most since its start or the last reset. (proc(5), status.) */
export interface ProcessMemory {
  readonly now: number
  readonly peak: number
}

/** Undefined where the process is gone, or where there is no /proc. */
export function readMemory(pid: number | 'self'): ProcessMemory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kilobytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
    const memory = { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 }
    // A zombie has a status but no memory lines.
    return Number.isFinite(memory.now) && Number.isFinite(memory.peak) ? memory : undefined
  } catch {
    return undefined
  }
}

/** Makes the present the peak; without the right to do so the peak is that since the start. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // The peak then holds the start of Node as well, which the model always exceeds.
  }
}
