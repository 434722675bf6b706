import type { DeviceRoot } from './device-root.ts'

/** The resource controllers whose limits we ask for. */
export type Controller = 'cpu' | 'memory'

interface Mount {
  /** What of the hierarchy is mounted: in a container often the container's own group. */
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

export interface Hierarchy {
  readonly version: 1 | 2
  /** Folders of this process's group and of those above it as far as they are visible, the nearest first. */
  readonly folders: readonly string[]
}

/**
 * Where the limits of this process stand: in one hierarchy for all controllers (cgroup-v2.rst), in one of its own
 * (cgroup-v1/cgroups.rst), or in both, of which the tightest binds. Nothing where /proc or /sys does not show them.
 */
export async function hierarchiesOf(
  root: DeviceRoot,
  controller: Controller,
): Promise<readonly Hierarchy[]> {
  const mounts = mountsIn((await root.text('/proc/self/mountinfo')) ?? '')
  const groups = (await root.text('/proc/self/cgroup')) ?? ''
  return groups.split('\n').flatMap((line): Hierarchy[] => {
    // `0::/path`, or `4:cpu,cpuacct:/path`; a path may hold colons.
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) return []
    if (controllers === '') {
      const mount = mounts.find(({ type }) => type === 'cgroup2') ?? UNIFIED
      return [{ version: 2, folders: foldersUpwards(mount, path) }]
    }
    if (!controllers.split(',').includes(controller)) return []
    const mount =
      mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller)) ??
      usualMount(controller)
    return [{ version: 1, folders: foldersUpwards(mount, path) }]
  })
}

const UNIFIED: Mount = { root: '/', point: '/sys/fs/cgroup', type: 'cgroup2', options: [] }

function usualMount(controller: Controller): Mount {
  return { root: '/', point: `/sys/fs/cgroup/${controller}`, type: 'cgroup', options: [] }
}

/** proc(5), /proc/pid/mountinfo: `… root point options … - type source options`. */
function mountsIn(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [type = '', , options = ''] = after.split(' ')
    if (root === undefined || point === undefined || !type.startsWith('cgroup')) return []
    return [{ root, point, type, options: options.split(',') }]
  })
}

const MOST_FOLDERS = 64

/** A group that is not below what is mounted is that of another namespace: what is mounted is the nearest we see. */
function foldersUpwards({ root, point }: Mount, path: string): string[] {
  const top = root === '/' ? '' : root
  const inside = path === top || path.startsWith(`${top}/`) ? path.slice(top.length) : ''
  const segments = inside.split('/').filter((part) => part !== '' && part !== '..' && part !== '.')
  const folders: string[] = []
  for (let depth = Math.min(segments.length, MOST_FOLDERS); depth >= 0; depth -= 1) {
    folders.push([point, ...segments.slice(0, depth)].join('/'))
  }
  return folders
}

/** The numbers in those files of a folder, where they say one; words such as `max` are no limit. */
export async function limitsIn(
  root: DeviceRoot,
  folder: string,
  files: readonly string[],
): Promise<number[]> {
  const texts = await Promise.all(files.map((file) => root.text(`${folder}/${file}`)))
  return texts.flatMap((text) => (text !== null && /^\d+$/.test(text) ? [Number(text)] : []))
}
