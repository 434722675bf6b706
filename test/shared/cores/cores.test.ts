import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { coreGroups, settingsToTry } from '../../../shared/cores/index.ts'

async function planted(
  t: { teardown(end: () => unknown): void },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'fitment-cores-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${text}\n`)
  }
  return root
}

const cpu = (n: number, file: string) => `sys/devices/system/cpu/cpu${n}/${file}`

/** RK3588: four A55, four A76 in two clusters. */
function rk3588(): Record<string, string> {
  const capacity = [414, 414, 414, 414, 1024, 1024, 1024, 1024]
  return Object.fromEntries(
    capacity.flatMap((value, n) => [
      [cpu(n, 'cpu_capacity'), String(value)],
      [cpu(n, 'topology/thread_siblings_list'), String(n)],
    ]),
  )
}

t.test('large cores come before small ones', async (t) => {
  const groups = coreGroups(await planted(t, rk3588()))
  t.same(
    groups.map(({ cores }) => cores),
    [
      [4, 5, 6, 7],
      [0, 1, 2, 3],
    ],
  )
})

t.test('without capacities the highest frequency tells, and near ones are alike', async (t) => {
  const mhz = [4700, 4900, 3600, 3600]
  const files = Object.fromEntries(
    mhz.map((value, n) => [cpu(n, 'cpufreq/cpuinfo_max_freq'), String(1000 * value)]),
  )
  t.same(
    coreGroups(await planted(t, files)).map(({ cores }) => cores),
    [
      [0, 1],
      [2, 3],
    ],
  )
})

t.test('hyperthreads are one core; what is offline or not allowed is none', async (t) => {
  const root = await planted(t, {
    'proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-5',
    [cpu(0, 'topology/thread_siblings_list')]: '0,2',
    [cpu(1, 'topology/thread_siblings_list')]: '1,3',
    [cpu(2, 'topology/thread_siblings_list')]: '0,2',
    [cpu(3, 'topology/thread_siblings_list')]: '1,3',
    [cpu(4, 'online')]: '0',
    [cpu(6, 'topology/thread_siblings_list')]: '6',
  })
  t.same(
    coreGroups(root).map(({ cores }) => cores),
    [[0, 1]],
  )
})

t.test('tried are few threads first, and the large cores alone', async (t) => {
  const groups = coreGroups(await planted(t, rk3588()))
  const kept = settingsToTry(groups, 64, true)
  t.same(
    kept.filter(({ cores }) => cores === null).map(({ threads }) => threads),
    [1, 2, 3, 4, 8],
  )
  t.same(
    kept.filter(({ cores }) => cores !== null).map(({ threads }) => threads),
    [1, 2, 3, 4],
  )
  t.same(kept.find(({ cores }) => cores !== null)?.cores, [4, 5, 6, 7])
  t.ok(
    settingsToTry(groups, 2, false).every(({ threads, cores }) => threads <= 2 && cores === null),
    'without taskset nothing is kept on cores, and limits hold',
  )
})

t.test('where the system tells nothing, the limit is all there is', (t) => {
  t.same(coreGroups('/no/such/root'), [])
  t.same(
    settingsToTry([], 2, true).map(({ threads }) => threads),
    [1, 2],
  )
  t.end()
})
