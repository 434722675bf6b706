import { freemem, totalmem } from 'node:os'
import type { HardwareReport } from '../../shared/messages/index.ts'
import { type DeviceRoot, hierarchiesOf, limitsIn } from '../device-root/index.ts'
import { byteCount, numberOf } from './numbers.ts'

/**
 * Bytes, at most what the operator's limit and the control group allow, less what the group holds already.
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
  const group = await memoryOfGroup(root)
  const cap = Math.min(limitBytes ?? Number.POSITIVE_INFINITY, group.limitBytes)
  const left = Math.min(group.leftBytes, root.live ? process.availableMemory() : cap)
  return {
    totalBytes: byteCount(Math.min(total, cap)),
    availableBytes: byteCount(Math.min(available, total, cap, left)),
  }
}

interface GroupMemory {
  readonly limitBytes: number
  readonly leftBytes: number
}

/** Version 1 says "no limit" as the largest multiple of a page. */
const NO_LIMIT_V1 = 2 ** 60

/** Files of the limits, and what is used that the kernel cannot take back. (cgroup-v2.rst, cgroup-v1/memory.rst.) */
const FILES = {
  // Over `high` a group is slowed until it gives memory back: nothing to plan with.
  2: {
    limits: ['memory.max', 'memory.high'],
    used: 'memory.current',
    cache: /^inactive_file (\d+)/m,
  },
  1: {
    limits: ['memory.limit_in_bytes'],
    used: 'memory.usage_in_bytes',
    cache: /^total_inactive_file (\d+)/m,
  },
} as const

async function memoryOfGroup(root: DeviceRoot): Promise<GroupMemory> {
  let limitBytes = root.live ? constrained() : Number.POSITIVE_INFINITY
  let leftBytes = Number.POSITIVE_INFINITY
  for (const hierarchy of await hierarchiesOf(root, 'memory')) {
    const { limits, used, cache } = FILES[hierarchy.version]
    for (const folder of hierarchy.folders) {
      const limit = Math.min(...(await limitsIn(root, folder, limits)))
      if (limit >= NO_LIMIT_V1) continue
      const [holds = 0] = await limitsIn(root, folder, [used])
      const freeable = numberOf(cache.exec((await root.text(`${folder}/memory.stat`)) ?? '')?.[1])
      limitBytes = Math.min(limitBytes, limit)
      leftBytes = Math.min(leftBytes, Math.max(0, limit - Math.max(0, holds - (freeable ?? 0))))
    }
  }
  return { limitBytes, leftBytes }
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
