import { availableParallelism } from 'node:os'
import type { DeviceRoot } from './device-root.ts'

const MOST_CORES = 4096

/**
 * Logical processors this process may use. The running system: affinity and the CPU quota of the control
 * group (libuv before 1.49, in Node 20, knows affinity only). A captured tree: those that cpuinfo lists.
 */
export async function usableCores(root: DeviceRoot, listed: number): Promise<number> {
  if (!root.live) return clamp(listed)
  const quota = await cpuQuota(root)
  return clamp(Math.min(availableParallelism(), quota ?? Number.POSITIVE_INFINITY))
}

function clamp(cores: number): number {
  return Math.max(1, Math.min(MOST_CORES, Math.floor(cores)))
}

/** Processors' worth of time the control group (v2 or v1) grants; null: no limit found. */
export async function cpuQuota(root: DeviceRoot): Promise<number | null> {
  const groups = (await root.text('/proc/self/cgroup')) ?? ''
  const quotas: number[] = []
  for (const line of groups.split('\n')) {
    const [, controllers = '', path = ''] = line.split(':')
    if (controllers === '') quotas.push(...(await quotasUpwards(root, path)))
    else if (controllers.split(',').includes('cpu')) quotas.push(...(await quotaV1(root, path)))
  }
  return quotas.length === 0 ? null : Math.min(...quotas)
}

/** A limit of any ancestor group binds too. */
async function quotasUpwards(root: DeviceRoot, path: string): Promise<number[]> {
  const segments = path.split('/').filter(Boolean)
  const quotas: number[] = []
  for (let depth = segments.length; depth >= 0; depth -= 1) {
    const folder = ['/sys/fs/cgroup', ...segments.slice(0, depth)].join('/')
    const [quota, period] = ((await root.text(`${folder}/cpu.max`)) ?? '').split(/\s+/)
    quotas.push(...ratio(quota, period))
  }
  return quotas
}

async function quotaV1(root: DeviceRoot, path: string): Promise<number[]> {
  const folder = `/sys/fs/cgroup/cpu${path === '/' ? '' : path}`
  const quota = await root.text(`${folder}/cpu.cfs_quota_us`)
  const period = await root.text(`${folder}/cpu.cfs_period_us`)
  return ratio(quota ?? undefined, period ?? undefined)
}

function ratio(quota: string | undefined, period: string | undefined): number[] {
  const value = Number(quota) / Number(period)
  return Number.isFinite(value) && value > 0 ? [value] : []
}
