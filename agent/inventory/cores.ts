import { availableParallelism } from 'node:os'
import { type DeviceRoot, hierarchiesOf } from '../device-root/index.ts'

const MOST_CORES = 4096

/**
 * Logical processors this process may use: those its affinity allows, or a captured tree's cpuinfo lists, and no more
 * than the CPU quota of the control group is worth (libuv before 1.49, in Node 20, knows affinity only). A quota of
 * half a processor is one that stands still half of the time.
 */
export async function usableCores(root: DeviceRoot, listed: number): Promise<number> {
  const quota = (await cpuQuota(root)) ?? Number.POSITIVE_INFINITY
  return clamp(Math.min(root.live ? availableParallelism() : listed, quota))
}

function clamp(cores: number): number {
  return Math.max(1, Math.min(MOST_CORES, Math.floor(cores)))
}

/** Processors' worth of time that the control group (v2 or v1) grants, itself or one above it; null: no limit found. */
export async function cpuQuota(root: DeviceRoot): Promise<number | null> {
  const quotas: number[] = []
  for (const { version, folders } of await hierarchiesOf(root, 'cpu')) {
    for (const folder of folders) {
      const said =
        version === 2
          ? ((await root.text(`${folder}/cpu.max`)) ?? '').split(/\s+/)
          : [
              await root.text(`${folder}/cpu.cfs_quota_us`),
              await root.text(`${folder}/cpu.cfs_period_us`),
            ]
      quotas.push(...ratio(said[0], said[1]))
    }
  }
  return quotas.length === 0 ? null : Math.min(...quotas)
}

function ratio(quota: string | null | undefined, period: string | null | undefined): number[] {
  const value = Number(quota ?? Number.NaN) / Number(period ?? Number.NaN)
  return Number.isFinite(value) && value > 0 ? [value] : []
}
