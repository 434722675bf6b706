import { setTimeout as sleep } from 'node:timers/promises'
import type { ProbeEnvironment } from '../../shared/measure/index.ts'
import { deviceRoot } from '../inventory/index.ts'
import { readCpuTimes } from './environment.ts'

/** Long enough for 50 clock ticks of each processor. */
const LOOK_MS = 500
/** The same bounds by which a record is `contended`. */
const MOST_BUSY = 0.1
const MOST_STOLEN = 0.01

/**
 * Waits until this device is at rest, and no longer than that: a measurement begun in a quiet moment need not be made
 * again. Answers whether it came to rest; true at once where the system tells nothing.
 * @param root where /proc is found
 * @throws AbortError
 */
export async function awaitQuiet(
  root: string,
  mostMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const device = deviceRoot(root)
  const options = signal === undefined ? {} : { signal }
  const until = performance.now() + mostMs
  let before = await readCpuTimes(device)
  while (performance.now() < until) {
    await sleep(Math.min(LOOK_MS, mostMs), undefined, options)
    const after = await readCpuTimes(device)
    if (isQuiet(before, after)) return true
    before = after
  }
  return false
}

function isQuiet(
  before: ProbeEnvironment['cpuTicks'],
  after: ProbeEnvironment['cpuTicks'],
): boolean {
  if (before === null || after === null) return true
  const busy = after.busy - before.busy
  const steal = after.steal - before.steal
  const all = busy + steal + after.idle - before.idle
  return all <= 0 || (busy <= MOST_BUSY * all && steal <= MOST_STOLEN * all)
}
