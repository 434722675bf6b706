import { namesIn, numberOf, textOf } from '../sys-files.ts'

/** Physical cores of about one capacity. */
export interface CoreGroup {
  /** The first processor of each core, in order. */
  readonly cores: readonly number[]
  /** Relative; of what the system calls it. */
  readonly capacity: number
}

const CPUS = 'sys/devices/system/cpu'
/** Cores of one kind differ in their highest frequency by less than this. */
const ALIKE = 1.15

/**
 * The cores this process may use, the largest first; none where the system does not tell.
 * (Documentation/ABI/testing/sysfs-devices-system-cpu; arm64 `cpu_capacity`.)
 * @param root where /proc and /sys are found
 */
export function coreGroups(root: string): readonly CoreGroup[] {
  const allowed = allowedIn(root)
  const seen = new Set<number>()
  const cores: { readonly core: number; readonly capacity: number }[] = []
  const found = namesIn(root, CPUS)
    .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((cpu) => allowed === undefined || allowed.includes(cpu))
    .filter((cpu) => textOf(root, `${CPUS}/cpu${cpu}/online`) !== '0')
    .sort((a, b) => a - b)
  for (const cpu of found) {
    if (seen.has(cpu)) continue
    for (const sibling of listed(textOf(root, `${CPUS}/cpu${cpu}/topology/thread_siblings_list`)))
      seen.add(sibling)
    const capacity =
      numberOf(root, `${CPUS}/cpu${cpu}/cpu_capacity`) ??
      numberOf(root, `${CPUS}/cpu${cpu}/cpufreq/cpuinfo_max_freq`) ??
      1
    cores.push({ core: cpu, capacity })
  }
  return grouped(cores)
}

function grouped(
  cores: readonly { readonly core: number; readonly capacity: number }[],
): readonly CoreGroup[] {
  const groups: { cores: number[]; capacity: number }[] = []
  for (const { core, capacity } of [...cores].sort((a, b) => b.capacity - a.capacity)) {
    const last = groups.at(-1)
    if (last && last.capacity <= capacity * ALIKE) last.cores.push(core)
    else groups.push({ cores: [core], capacity })
  }
  for (const group of groups) group.cores.sort((a, b) => a - b)
  return groups
}

function allowedIn(root: string): readonly number[] | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(textOf(root, 'proc/self/status') ?? '')?.[1]
  return list === undefined ? undefined : listed(list)
}

/** `0-3,8` → 0, 1, 2, 3, 8. */
function listed(text: string | undefined): readonly number[] {
  return (text ?? '').split(',').flatMap((part) => {
    const [from, to] = part.split('-').map(Number)
    if (from === undefined || !Number.isSafeInteger(from)) return []
    const last = to === undefined || !Number.isSafeInteger(to) ? from : Math.min(to, from + 4095)
    return Array.from({ length: Math.max(0, last - from + 1) }, (_, i) => from + i)
  })
}
