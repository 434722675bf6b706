import { freemem, totalmem } from 'node:os'
import type { HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from './device-root.ts'
import { byteCount, numberOf } from './numbers.ts'

/**
 * Bytes, at most what the operator's limit and (on the running system) the control group allow.
 * 0 means unknown.
 */
export async function readMemory(
  root: DeviceRoot,
  limitBytes: number | undefined,
): Promise<HardwareReport['memory']> {
  const meminfo = (await root.text('/proc/meminfo')) ?? ''
  const total = kilobytes(meminfo, 'MemTotal') ?? (root.live ? totalmem() : 0)
  const available =
    kilobytes(meminfo, 'MemAvailable') ??
    kilobytes(meminfo, 'MemFree') ??
    (root.live ? freemem() : 0)
  const caps = [limitBytes ?? Number.POSITIVE_INFINITY]
  if (root.live) caps.push(constrained())
  const cap = Math.min(...caps)
  return {
    totalBytes: byteCount(Math.min(total, cap)),
    availableBytes: byteCount(
      Math.min(available, total, cap, root.live ? process.availableMemory() : cap),
    ),
  }
}

function kilobytes(meminfo: string, key: string): number | null {
  const kilo = numberOf(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(meminfo)?.[1])
  return kilo === null ? null : kilo * 1024
}

/** libuv says 0 or an absurd number where no control group limits. */
function constrained(): number {
  const bytes = process.constrainedMemory()
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY
}
