import { setTimeout as sleep } from 'node:timers/promises'
import { deviceRoot } from '../device-root/index.ts'
import { readCpuTimes } from './environment.ts'
import { machineShares } from './environment-monitor.ts'
import { isContended } from './verdict.ts'

/** Long enough for 50 clock ticks of each processor. */
const LOOK_MS = 500

/**
 * Waits until this device is at rest, by the bounds of the verdict, and no longer than that: a measurement begun in a
 * quiet moment need not be made again. Answers whether it came to rest; true at once where the system tells nothing.
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
    if (!isContended(machineShares(before, after, 0))) return true
    before = after
  }
  return false
}
