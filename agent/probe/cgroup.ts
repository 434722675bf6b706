import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A memory limit that the kernel keeps. */
export interface MemoryGroup {
  /** Most memory the group used, bytes; undefined where the kernel does not tell. */
  peak(): Promise<number | undefined>
  /** Whether the kernel killed a member for want of memory. */
  killed(): Promise<boolean>
  remove(): Promise<void>
}

/**
 * Puts a process into a cgroup v2 of its own below ours, limited to that much memory without swap.
 * Undefined where that is not allowed: no cgroup v2, no delegated subtree, no rights.
 * (Documentation/admin-guide/cgroup-v2.rst, Memory.)
 */
export async function limitMemory(
  root: string,
  pid: number,
  limitBytes: number,
): Promise<MemoryGroup | undefined> {
  try {
    const own = /^0::(.*)$/m.exec(await readFile(join(root, 'proc/self/cgroup'), 'utf8'))?.[1]
    const parent = join(root, 'sys/fs/cgroup', own ?? '')
    const controllers = await readFile(join(parent, 'cgroup.subtree_control'), 'utf8')
    if (own === undefined || !controllers.split(/\s+/).includes('memory')) return undefined
    const group = join(parent, `fitment-probe-${pid}`)
    await mkdir(group)
    await writeFile(join(group, 'memory.max'), `${limitBytes}`)
    await writeFile(join(group, 'memory.swap.max'), '0').catch(() => {})
    await writeFile(join(group, 'cgroup.procs'), `${pid}`)
    return memoryGroup(group)
  } catch {
    return undefined
  }
}

function memoryGroup(group: string): MemoryGroup {
  const read = (file: string) => readFile(join(group, file), 'utf8').catch(() => '')
  return {
    peak: async () => {
      const bytes = Number.parseInt(await read('memory.peak'), 10)
      return Number.isNaN(bytes) ? undefined : bytes
    },
    killed: async () => /^oom_kill [1-9]/m.test(await read('memory.events')),
    remove: async () => {
      // Fails while the dying process is still listed; the next boot clears what is left.
      await rmdir(group).catch(() => {})
    },
  }
}
