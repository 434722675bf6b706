import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { readReport } from '../../../agent/inventory/index.ts'
import { hardwareReportSchema } from '../../../shared/messages/hardware-report.ts'
import { deviceTree, deviceTrees } from '../../device-trees.ts'

t.test('every captured tree reads as a legal, emulated report', async (t) => {
  for (const [name, root] of deviceTrees()) {
    const report = await readReport({ root, stateDir: t.testdirName })
    const parsed = hardwareReportSchema.safeParse(report)
    t.ok(parsed.success, `${name}: ${parsed.error?.message ?? 'legal'}`)
    t.equal(report.emulated, true, name)
    t.ok(report.storage.totalBytes > 0, `${name}: the storage is this host's`)
  }
})

t.test('the facts of a big.LITTLE board with an NPU', async (t) => {
  const report = await readReport({ root: deviceTree('rock-5b'), stateDir: t.testdirName })
  t.same(report.board, {
    model: 'Radxa ROCK 5B',
    vendor: 'radxa',
    compatible: ['radxa,rock-5b', 'rockchip,rk3588'],
    source: 'device-tree',
  })
  t.match(report.cpu, {
    model: '4× Cortex-A55 + 4× Cortex-A76',
    cores: 8,
    features: ['neon', 'asimddp', 'fphp'],
    maxMhz: 2400,
  })
  t.same(report.accelerators.map((a) => a.kind).sort(), ['gpu', 'rknpu'])
  t.equal(report.memory.totalBytes, 15 * 1024 ** 3)
  t.equal(report.thermalZones.length, 7)
  t.same(report.thermalZones[0], { type: 'soc-thermal', celsius: 38.8 })
  t.match(report.os, { kernel: /^5\.10\.66-11-rockchip/, distribution: 'Ubuntu 20.04 LTS' })
  t.equal(report.battery, null)
})

t.test('the facts of a laptop: DMI, battery, placeholders left out', async (t) => {
  const root = deviceTree('skylake-thinkpad')
  const { board, battery, cpu } = await readReport({ root, stateDir: t.testdirName })
  t.match(board, { model: 'ThinkPad X260', vendor: 'LENOVO', source: 'dmi' })
  t.same(battery, { percent: 87, charging: false }, 'not that of the mouse')
  t.equal(cpu.model, 'Intel(R) Core(TM) i5-6200U CPU @ 2.30GHz')
})

t.test('a 32-bit board', async (t) => {
  const root = deviceTree('beaglebone-black')
  const report = await readReport({ root, stateDir: t.testdirName })
  t.match(report, { architecture: 'arm', cpu: { model: '1× Cortex-A8', cores: 1, maxMhz: 1000 } })
  t.same(report.cpu.features, ['neon'])
})

t.test('garbage gives unknowns, never an error', async (t) => {
  const report = await readReport({ root: deviceTree('garbage'), stateDir: t.testdirName })
  t.match(report, {
    architecture: 'other',
    board: { model: null },
    cpu: { model: 'unknown', cores: 1, features: [], parts: [], maxMhz: null },
    memory: { totalBytes: 0, availableBytes: 0 },
    os: { kernel: 'unknown', libc: null },
  })
  t.notOk(
    report.board.compatible.includes('raspberrypi,4-model-b'),
    'no name is cleaned into another',
  )
  t.same([report.accelerators, report.thermalZones, report.battery], [[], [], null])
})

t.test('a hostile tree: pipes, huge files, folders for files, terminal escapes', async (t) => {
  const root = t.testdir({ proc: { meminfo: {} } })
  const at = (path: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    return join(root, path)
  }
  execFileSync('mkfifo', [at('sys/class/thermal/thermal_zone0/temp')])
  writeFileSync(at('proc/cpuinfo'), Buffer.alloc(20 * 1024 * 1024, 'processor : 7\n'))
  writeFileSync(at('proc/device-tree/model'), `\u001b]0;owned\u0007${'m'.repeat(9000)}`)
  writeFileSync(at('proc/device-tree/compatible'), 'a,b\0'.repeat(100_000))
  const report = await readReport({ root, stateDir: root })
  t.ok(hardwareReportSchema.safeParse(report).success)
  t.equal(report.cpu.cores, 4096)
  t.equal(report.board.compatible.length, 64)
  t.notMatch(report.board.model, /\p{Cc}/u)
})

t.test('a root that does not exist', async (t) => {
  const report = await readReport({ root: join(t.testdirName, 'nowhere'), stateDir: '/' })
  t.ok(hardwareReportSchema.safeParse(report).success)
  t.equal(report.architecture, 'other')
})

t.test('this host', async (t) => {
  const report = await readReport({ stateDir: join(t.testdirName, 'not', 'yet') })
  t.ok(hardwareReportSchema.safeParse(report).success)
  t.equal(report.emulated, false)
  t.equal(report.architecture, process.arch)
  t.ok(report.cpu.cores >= 1 && report.cpu.cores <= availableParallelism())
  t.ok(report.memory.totalBytes > 0 && report.memory.totalBytes <= totalmem())
  t.ok(report.memory.availableBytes <= report.memory.totalBytes)
  t.not(report.os.kernel, 'unknown')
  const disk = await statfs('/')
  t.ok(disk.blocks > 0 && report.storage.totalBytes > 0)
})

t.test('limits clamp memory and storage; what the agent stored counts', async (t) => {
  const stateDir = t.testdir({ slots: { model: { 'model.tflite': 'x'.repeat(1000) } } })
  const report = await readReport({
    root: deviceTree('rock-5b'),
    stateDir,
    storageLimitBytes: 5000,
    memoryLimitBytes: 64 * 1024 * 1024,
  })
  t.same(report.storage, { totalBytes: 5000, freeBytes: 4000 })
  t.same(report.memory, { totalBytes: 64 * 1024 * 1024, availableBytes: 64 * 1024 * 1024 })
  const over = await readReport({ root: '/nowhere', stateDir, storageLimitBytes: 10 })
  t.same(
    over.storage,
    { totalBytes: 10, freeBytes: 0 },
    'a budget already spent is 0, not negative',
  )
})
