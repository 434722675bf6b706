import { access, constants, mkdir, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deviceRoot, hierarchiesOf } from '../../agent/device-root/index.ts'

const PERIOD_US = 100_000

/** What holds a group to a share of a processor, by the version of control groups. */
const QUOTA = {
  1: (us: number) => ({ 'cpu.cfs_period_us': `${PERIOD_US}`, 'cpu.cfs_quota_us': `${us}` }),
  2: (us: number) => ({ 'cpu.max': `${us} ${PERIOD_US}` }),
} as const

/** Does the work with this process and its children held to a share of one processor; `undefined` where it may not. */
export async function underQuota<T>(
  processors: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (const { version, folders } of await hierarchiesOf(deviceRoot('/'), 'cpu')) {
    const [own] = folders
    if (own === undefined) continue
    // Beside ours, or below it where ours is the whole.
    const around = folders.length > 1 ? dirname(own) : own
    const group = join(around, `fitment-bench-${process.pid}`)
    if (!(await isMade(group, QUOTA[version](processors * PERIOD_US)))) continue
    try {
      await writeFile(join(group, 'cgroup.procs'), `${process.pid}`)
      return await work()
    } finally {
      await writeFile(join(own, 'cgroup.procs'), `${process.pid}`)
      await sleep(1_000)
      await rmdir(group).catch(() => {})
    }
  }
  return undefined
}

async function isMade(group: string, files: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    await mkdir(group)
    for (const [name, value] of Object.entries(files)) {
      await access(join(group, name), constants.W_OK)
      await writeFile(join(group, name), value)
    }
    return true
  } catch {
    await rmdir(group).catch(() => {})
    return false
  }
}
