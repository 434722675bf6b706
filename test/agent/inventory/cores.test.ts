import { availableParallelism } from 'node:os'
import t from 'tap'
import { deviceRoot } from '../../../agent/device-root/index.ts'
import { cpuQuota, usableCores } from '../../../agent/inventory/cores.ts'

t.test('quota of control groups version 2: the tightest ancestor binds', async (t) => {
  const dir = t.testdir({
    proc: { self: { cgroup: '0::/system.slice/agent.service\n' } },
    sys: {
      fs: {
        cgroup: {
          'system.slice': {
            'cpu.max': '150000 100000\n',
            'agent.service': { 'cpu.max': 'max 100000\n' },
          },
        },
      },
    },
  })
  t.equal(await cpuQuota(deviceRoot(dir)), 1.5)
})

t.test('quota of control groups version 1', async (t) => {
  const cgroup = (quota: string) => ({
    proc: { self: { cgroup: '3:cpuset:/\n2:cpu,cpuacct:/box\n' } },
    sys: {
      fs: {
        cgroup: { cpu: { box: { 'cpu.cfs_quota_us': quota, 'cpu.cfs_period_us': '100000' } } },
      },
    },
  })
  t.equal(await cpuQuota(deviceRoot(t.testdir(cgroup('200000')))), 2)
  t.equal(await cpuQuota(deviceRoot(t.testdir(cgroup('-1')))), null, 'no limit')
})

t.test('no control groups, or noise in their files: no limit', async (t) => {
  t.equal(await cpuQuota(deviceRoot(t.testdir({}))), null)
  const noise = { proc: { self: { cgroup: '0\n::::\n0::/../..\n' } } }
  t.equal(await cpuQuota(deviceRoot(t.testdir(noise))), null)
})

t.test('captured trees tell their own cores, the running system this process’s', async (t) => {
  t.equal(await usableCores(deviceRoot(t.testdir({})), 8), 8)
  t.equal(await usableCores(deviceRoot(t.testdir({})), 0), 1)
  const here = await usableCores(deviceRoot('/'), 4096)
  t.ok(here >= 1 && here <= availableParallelism())
})
