import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { deviceRoot } from '../../../agent/device-root/index.ts'
import { cpuQuota, usableCores } from '../../../agent/inventory/cores.ts'
import { readReport } from '../../../agent/inventory/index.ts'
import { readMemory } from '../../../agent/inventory/memory.ts'

const MIB = 2 ** 20
const MEMINFO = 'MemTotal:       16384000 kB\nMemAvailable:   12288000 kB\n'

interface Planted {
  readonly title: string
  readonly files: Readonly<Record<string, string>>
  readonly quota: number | null
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number }
}

/** As runtimes of containers lay them out. */
const PLANTED: readonly Planted[] = [
  {
    title: 'version 2 in a namespace of its own (podman, Docker since 20.10)',
    files: {
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': '40 30 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n',
      'sys/fs/cgroup/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/memory.max': `${256 * MIB}\n`,
      'sys/fs/cgroup/memory.high': 'max\n',
      'sys/fs/cgroup/memory.current': `${100 * MIB}\n`,
      'sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${60 * MIB}\n`,
    },
    quota: 1.5,
    memory: { totalBytes: 256 * MIB, availableBytes: 216 * MIB },
  },
  {
    title: 'version 2 without a namespace: what is mounted is the group itself',
    files: {
      'proc/self/cgroup': '0::/machine.slice/box\n',
      'proc/self/mountinfo':
        '40 30 0:26 /machine.slice/box /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
      'sys/fs/cgroup/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/memory.max': `${512 * MIB}\n`,
    },
    quota: 4,
    memory: { totalBytes: 512 * MIB, availableBytes: 512 * MIB },
  },
  {
    title: 'version 2: a slice above binds, and memory.high does',
    files: {
      'proc/self/cgroup': '0::/a.slice/b.service\n',
      'sys/fs/cgroup/a.slice/cpu.max': '200000 100000\n',
      'sys/fs/cgroup/a.slice/memory.max': `${300 * MIB}\n`,
      'sys/fs/cgroup/a.slice/b.service/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/a.slice/b.service/memory.max': 'max\n',
      'sys/fs/cgroup/a.slice/b.service/memory.high': `${200 * MIB}\n`,
    },
    quota: 2,
    memory: { totalBytes: 200 * MIB, availableBytes: 200 * MIB },
  },
  {
    title: 'version 1 in a container: the path is the host’s, the folder is not there',
    files: {
      'proc/self/cgroup': '9:memory:/docker/4f\n3:cpu,cpuacct:/docker/4f\n',
      'proc/self/mountinfo':
        '41 30 0:29 /docker/4f /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n' +
        '42 30 0:32 /docker/4f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': `${128 * MIB}\n`,
      'sys/fs/cgroup/memory/memory.usage_in_bytes': `${90 * MIB}\n`,
      'sys/fs/cgroup/memory/memory.stat': `cache 1\ntotal_inactive_file ${10 * MIB}\n`,
    },
    quota: 0.5,
    memory: { totalBytes: 128 * MIB, availableBytes: 48 * MIB },
  },
  {
    title: 'both at once, and no limit in either',
    files: {
      'proc/self/cgroup': '4:memory:/\n1:cpu:/\n0::/\n',
      'proc/self/mountinfo':
        '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
        '40 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    quota: null,
    memory: { totalBytes: 16_384_000 * 1024, availableBytes: 12_288_000 * 1024 },
  },
  {
    title: 'no /sys: what is not shown is no limit',
    files: { 'proc/self/cgroup': '0::/box\n' },
    quota: null,
    memory: { totalBytes: 16_384_000 * 1024, availableBytes: 12_288_000 * 1024 },
  },
]

for (const { title, files, quota, memory } of PLANTED) {
  t.test(title, async (t) => {
    const root = deviceRoot(plant(t, { 'proc/meminfo': MEMINFO, ...files }))
    t.equal(await cpuQuota(root), quota)
    t.same(await readMemory(root, undefined), memory)
    t.equal(await usableCores(root, 8), quota === null ? 8 : Math.max(1, Math.floor(quota)))
  })
}

t.test('a group that holds more than its limit has nothing left, and no less', async (t) => {
  const files = {
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '0::/\n',
    'sys/fs/cgroup/memory.max': `${64 * MIB}\n`,
    'sys/fs/cgroup/memory.current': `${80 * MIB}\n`,
  }
  const root = deviceRoot(plant(t, files))
  t.same(await readMemory(root, undefined), { totalBytes: 64 * MIB, availableBytes: 0 })
  t.same(await readMemory(root, 32 * MIB), { totalBytes: 32 * MIB, availableBytes: 0 })
})

t.test('a real group of this machine', async (t) => {
  const group = realGroup(t, 300 * MIB)
  if (group === undefined) return t.comment('skipped: control groups cannot be made here')
  const script = `
    const { readReport } = await import(${JSON.stringify(new URL('../../../agent/inventory/index.js', import.meta.url).href)})
    console.log(JSON.stringify(await readReport({ stateDir: '/' })))`
  const shell = `${group.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(' && ')} && exec "$0" --input-type=module -e "$1"`
  const child = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' })
  const inside = JSON.parse(child.stdout || 'null') as Awaited<ReturnType<typeof readReport>>
  t.equal(inside.memory.totalBytes, 300 * MIB, child.stderr)
  t.ok(inside.memory.availableBytes < 300 * MIB)
  t.equal(inside.cpu.cores, 1, 'a quota of one and a half')
  const outside = await readReport({ stateDir: '/' })
  t.ok(outside.memory.totalBytes > 300 * MIB)
})

function plant(t: Test, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'fit-root-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** Limits a group to that much memory and 1.5 processors, by whichever version is mounted; `undefined`: it may not. */
function realGroup(t: Test, memoryBytes: number): string[] | undefined {
  const name = `fitment-test-${process.pid}`
  const base = '/sys/fs/cgroup'
  const LIMITS = [
    [`${base}/memory/${name}`, { 'memory.limit_in_bytes': `${memoryBytes}` }],
    [`${base}/cpu/${name}`, { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '150000' }],
    [`${base}/${name}`, { 'memory.max': `${memoryBytes}`, 'cpu.max': '150000 100000' }],
  ] as const
  const isUnified = existsSync(`${base}/cgroup.controllers`)
  const made = LIMITS.flatMap(([folder, files]) => {
    if ('memory.max' in files !== isUnified) return []
    try {
      mkdirSync(folder)
    } catch {
      return []
    }
    t.teardown(() => rmdirSync(folder))
    try {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
      return [folder]
    } catch {
      return []
    }
  })
  return made.some((folder) => !folder.includes('/cpu/')) ? made : undefined
}
