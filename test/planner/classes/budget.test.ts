import t from 'tap'
import { readReport } from '../../../agent/inventory/index.ts'
import { classify, effectiveBudget, loadProfiles } from '../../../planner/classes/index.ts'
import { deviceTree } from '../../device-trees.ts'

const MIB = 1024 * 1024
const profiles = await loadProfiles()
const roomy = { totalBytes: 100_000 * MIB, freeBytes: 90_000 * MIB }

async function device(name: string) {
  const read = await readReport({ root: deviceTree(name), stateDir: t.testdirName })
  const report = { ...read, storage: roomy }
  return { report, profile: classify(report, profiles).profile }
}

t.test('the class binds a large board', async (t) => {
  const { report, profile } = await device('rock-5b')
  const { memory, storage } = effectiveBudget(profile, report)
  t.same(memory, { bytes: 2048 * MIB, reason: 'class rk3588 allows 2.0 GiB' })
  t.same(storage, { bytes: 4096 * MIB, reason: 'class rk3588 allows 4.0 GiB' })
})

t.test('half of the memory binds a small board of the class', async (t) => {
  const { report, profile } = await device('raspberry-pi-4')
  const { memory } = effectiveBudget(profile, report)
  t.equal(memory.bytes, Math.floor((909 * MIB) / 2))
  t.match(memory.reason, /half of the memory is 454\.5 MiB/)
})

t.test('memory in use by others binds', async (t) => {
  const { report, profile } = await device('rock-5b')
  const busy = { ...report, memory: { ...report.memory, availableBytes: 100 * MIB } }
  t.match(effectiveBudget(profile, busy).memory, { bytes: 100 * MIB, reason: /available/ })
})

t.test('the operator’s limits bind', async (t) => {
  const { report, profile } = await device('rock-5b')
  const limits = { memoryLimitBytes: 5 * MIB, storageLimitBytes: 300 * 1024 }
  const { memory, storage } = effectiveBudget(profile, report, limits)
  t.match(memory, { bytes: 5 * MIB, reason: "the agent's memory limit is 5.0 MiB" })
  t.match(storage, { bytes: 300 * 1024, reason: "the agent's storage limit is 300.0 KiB" })
  t.same(
    effectiveBudget(profile, report, { memoryLimitBytes: null }),
    effectiveBudget(profile, report),
  )
})

t.test('free storage keeps a reserve, and a full disk is no unknown disk', async (t) => {
  const { report, profile } = await device('rock-5b')
  const storageOf = (totalBytes: number, freeBytes: number) =>
    effectiveBudget(profile, { ...report, storage: { totalBytes, freeBytes } }).storage
  t.equal(storageOf(10_000 * MIB, 1000 * MIB).bytes, 936 * MIB, 'at most 64 MiB')
  t.equal(storageOf(100 * MIB, 50 * MIB).bytes, 45 * MIB, 'a twentieth of a small disk')
  t.equal(storageOf(10_000 * MIB, 0).bytes, 0)
  t.match(storageOf(10_000 * MIB, 0).reason, /0 B free/)
  t.match(storageOf(0, 0).reason, /class rk3588/, 'unknown binds nothing')
})

t.test(
  'an unknown device is bound by what it shows; one that shows nothing gets little',
  async (t) => {
    const { report } = await device('garbage')
    const blind = { ...report, storage: { totalBytes: 0, freeBytes: 0 } }
    const { memory, storage } = effectiveBudget(null, blind)
    t.same([memory.bytes, storage.bytes], [32 * MIB, 32 * MIB])
    t.match(memory.reason, /tells nothing/)
    t.equal(effectiveBudget(null, blind, { memoryLimitBytes: MIB }).memory.bytes, MIB)
  },
)
