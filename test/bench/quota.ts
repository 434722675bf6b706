import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PERIOD_US = 100_000

/** Where groups that share out processors are made: cgroups(7), the first version and the second. */
const KINDS = [
  {
    mount: '/sys/fs/cgroup/cpu',
    quota: (us: number) => ({ 'cpu.cfs_period_us': `${PERIOD_US}`, 'cpu.cfs_quota_us': `${us}` }),
  },
  { mount: '/sys/fs/cgroup', quota: (us: number) => ({ 'cpu.max': `${us} ${PERIOD_US}` }) },
] as const

/** Does the work with this process and its children held to a share of one processor; `undefined` where it may not. */
export async function underQuota<T>(
  processors: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const own = `fitment-bench-${process.pid}`
  for (const { mount, quota } of KINDS) {
    const group = join(mount, own)
    if (!(await isMade(group, quota(processors * PERIOD_US)))) continue
    const before = await groupOfThis(mount)
    try {
      await writeFile(join(group, 'cgroup.procs'), `${process.pid}`)
      return await work()
    } finally {
      await writeFile(join(before, 'cgroup.procs'), `${process.pid}`)
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

async function groupOfThis(mount: string): Promise<string> {
  const lines = (await readFile('/proc/self/cgroup', 'utf8')).split('\n')
  const isFirst = mount.endsWith('/cpu')
  const line = lines.find((line) =>
    isFirst ? /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:/.test(line) : line.startsWith('0::'),
  )
  return join(mount, line?.split(':').slice(2).join(':') ?? '/')
}
