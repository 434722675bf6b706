/**
 * An agent as containers run it: a user without rights or capabilities, the root read-only, its state on a tmpfs,
 * no /sys at all or one that shows a limited control group, no device tree.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { classify, loadProfiles } from '../../planner/classes/index.ts'
import { environmentOf, MAIN } from '../agent/agent-process.ts'
import { driverOf, stateDirOf } from '../agent/device.ts'
import { variantOf } from '../agent/golden.ts'
import { assignOrder } from '../agent/orders.ts'
import type { PlannerDriver } from '../agent/planner-driver.ts'
import { until } from './running.ts'

const canUnshare = spawnSync('unshare', ['-m', '-p', '-f', '--mount-proc', 'true']).status === 0
const skip = canUnshare ? false : 'mounting is not allowed here'
const MIB = 2 ** 20

t.setTimeout(300_000)

/** @param sys a shell line that decides what /sys is */
function container(
  t: Test,
  driver: PlannerDriver,
  stateDir: string,
  sys: string,
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; log: () => string } {
  const setUp = [
    'set -e',
    'mount --make-rprivate /',
    'mount --bind / / && mount -o remount,ro,bind /',
    'mount -t tmpfs -o ro none /run',
    sys,
    `mount -t tmpfs -o size=32m,uid=65534,gid=65534,mode=755 none ${stateDir}`,
    'cd /',
    'exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set -all --inh-caps -all "$@"',
  ].join('\n')
  const argv = [
    '-m',
    '-p',
    '-f',
    '-i',
    '-u',
    '--mount-proc',
    '--kill-child',
    'sh',
    '-c',
    setUp,
    'sh',
  ]
  const starter = readFileSync('packaging/files/starter', 'utf8').replaceAll('MAIN', MAIN)
  const child = spawn('unshare', [...argv, 'sh', '-c', starter, 'fitment-agent', 'run'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environmentOf(driver, stateDir), ...environment },
  })
  let log = ''
  child.stderr.on('data', (text) => {
    log += text
  })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // With its first process all of the container ends.
    for (const { pid } of childrenOf(child.pid as number)) process.kill(pid, 'SIGKILL')
    await once(child, 'close')
  })
  return { child, log: () => log }
}

t.test('no /sys, no device tree, a root that cannot be written', { skip }, async (t) => {
  const driver = await driverOf(t)
  const { child, log } = container(t, driver, stateDirOf(t), 'mount -t tmpfs -o ro none /sys')
  child.once('close', () => t.comment(log()))
  const { report: hardware } = await driver.until(() => driver.births[0])
  t.equal(hardware.emulated, false)
  t.equal(hardware.architecture, process.arch)
  t.ok(hardware.cpu.cores >= 1)
  t.same([hardware.accelerators, hardware.thermalZones, hardware.battery], [[], [], null])
  t.equal(hardware.storage.totalBytes, 32 * MIB, 'the tmpfs')
  t.notMatch(classify(hardware, await loadProfiles()).class, /raspberry|jetson/)
  const artifact = driver.offer(variantOf())
  await driver.send('d1', assignOrder({ artifact }))
  await driver.report('install', ({ state }) => state === 'active')
  t.equal(child.exitCode, null, 'its state needs nothing but the tmpfs')
})

t.test('a limited control group is what the device has', { skip }, async (t) => {
  const group = limited(t, 400 * MIB)
  if (group === undefined) return t.comment('skipped: control groups cannot be made here')
  const driver = await driverOf(t)
  const enter = group.map((folder) => `echo 0 > ${folder}/cgroup.procs`).join(' && ')
  const { child, log } = container(t, driver, stateDirOf(t), enter)
  child.once('close', () => t.comment(log()))
  const { report: hardware } = await driver.until(() => driver.births[0])
  t.equal(hardware.memory.totalBytes, 400 * MIB)
  t.ok(hardware.memory.availableBytes < 400 * MIB)
  t.equal(hardware.cpu.cores, 1)
})

t.test('as the first process it leaves no zombies, and ends in order', { skip }, async (t) => {
  const driver = await driverOf(t)
  const folder = stateDirOf(t)
  chmodSync(folder, 0o755)
  const hook = join(folder, 'hook')
  // What it leaves behind outlives it, and is the first process's from then on.
  writeFileSync(hook, '#!/bin/sh\nsetsid sleep 0.3 &\nexit 0\n', { mode: 0o755 })
  const environment = { FITMENT_HEALTH_COMMAND: hook }
  const { child, log } = container(t, driver, stateDirOf(t), 'true', environment)
  await driver.until(() => driver.births[0])
  const [first] = childrenOf(child.pid as number)
  for (const counter of [1, 2]) {
    const artifact = driver.offer(variantOf())
    const order = assignOrder({ artifact, counter })
    await driver.send('d1', order)
    await driver.report('install', (r) => r.order === order.id && r.state === 'active')
  }
  await until('the orphans to be waited for', async () => {
    const states = childrenOf(first?.pid ?? 0).map(({ state }) => state)
    return states.length === 1 && !states.includes('Z') ? true : undefined
  })
  process.kill(first?.pid ?? 0, 'SIGTERM')
  t.same(await once(child, 'close'), [0, null], log())
  t.match(log(), /agent leaves/)
})

/** proc(5), stat; by their parent. */
function childrenOf(parent: number): { pid: number; state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(ppid) === parent ? [{ pid: Number(name), state }] : []
      } catch {
        return []
      }
    })
}

/** Memory and one processor's worth of time, in version 1 or 2; `undefined` where that is not allowed. */
function limited(t: Test, bytes: number): string[] | undefined {
  const name = `fitment-story-${process.pid}`
  const made: string[] = []
  for (const [folder, file, text] of [
    [`/sys/fs/cgroup/memory/${name}`, 'memory.limit_in_bytes', `${bytes}`],
    [`/sys/fs/cgroup/cpu/${name}`, 'cpu.cfs_quota_us', '100000'],
    [`/sys/fs/cgroup/${name}`, 'memory.max', `${bytes}`],
  ] as const) {
    if ((file === 'memory.max') !== existsSync('/sys/fs/cgroup/cgroup.controllers')) continue
    try {
      mkdirSync(folder)
      made.push(folder)
      writeFileSync(join(folder, file), text)
      if (file === 'memory.max') writeFileSync(join(folder, 'cpu.max'), '100000 100000')
    } catch {
      if (made.at(-1) === folder) rmdirSync(made.pop() as string)
    }
  }
  t.teardown(async () => {
    for (const folder of made) {
      // The last process of the container leaves it a moment later.
      for (let tries = 0; tries < 50; tries += 1) {
        try {
          rmdirSync(folder)
          break
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    }
  })
  return made.some((folder) => !folder.includes('/cpu/')) ? made : undefined
}
