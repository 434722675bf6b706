import t from 'tap'
import { deviceRoot } from '../../../agent/device-root/index.ts'
import { limitMemory } from '../../../agent/probe/cgroup.ts'
import { readEnvironment } from '../../../agent/probe/environment.ts'
import { probeEnvironmentSchema } from '../../../shared/measure/probe-record.ts'

t.test('a Raspberry Pi that is hot, capped and short of power', async (t) => {
  const root = t.testdir({
    proc: {
      self: { cgroup: '0::/system.slice/fitment.service\n' },
      loadavg: '1.52 0.80 0.40 2/345 6789\n',
      meminfo: 'MemTotal:        3884232 kB\nMemAvailable:    1234567 kB\n',
      stat: 'cpu  100 5 50 1000 20 3 2 7 0 0\ncpu0 100 5 50 1000 20 3 2 7 0 0\n',
      pressure: {
        cpu: 'some avg10=12.50 avg60=3.00 avg300=1.00 total=99\nfull avg10=0.00 avg60=0.00\n',
      },
    },
    sys: {
      fs: {
        cgroup: {
          'system.slice': {
            'fitment.service': { 'cpu.stat': 'usage_usec 12\nnr_periods 90\nnr_throttled 7\n' },
          },
        },
      },
      class: {
        thermal: {
          thermal_zone0: { temp: '81234\n', type: 'cpu-thermal\n' },
          thermal_zone1: { temp: '-274000\n', type: 'broken\n' },
          cooling_device0: { type: 'cpufreq-cpu0\n', cur_state: '2\n' },
          cooling_device1: { type: 'pwm-fan\n', cur_state: '3\n' },
        },
      },
      devices: {
        platform: { soc: { 'soc:firmware': { get_throttled: '50005\n' } } },
        system: {
          cpu: {
            cpu0: {
              cpufreq: {
                scaling_governor: 'ondemand\n',
                scaling_cur_freq: '1000000\n',
                cpuinfo_max_freq: '1500000\n',
                scaling_max_freq: '1200000\n',
              },
              thermal_throttle: { core_throttle_count: '4\n', package_throttle_count: '5\n' },
            },
            cpu1: { thermal_throttle: { core_throttle_count: '1\n' } },
          },
        },
      },
    },
  })
  const environment = await readEnvironment(deviceRoot(root))
  t.same(environment, {
    governor: 'ondemand',
    frequencyKhz: 1_000_000,
    maxFrequencyKhz: 1_500_000,
    frequencyLimitKhz: 1_200_000,
    quotaStops: 7,
    hottestCelsius: 81.234,
    cooling: 2,
    throttleCount: 10,
    // 0x50005: under-voltage and throttled now; the high bits are of the past.
    piFlags: ['undervoltage', 'throttled'],
    load1: 1.52,
    availableBytes: 1234567 * 1024,
    cpuTicks: { busy: 160, idle: 1020, steal: 7 },
    cpuPressure: 12.5,
    memoryPressure: null,
  })
})

t.test('a system that tells nothing, and this one', async (t) => {
  const nothing = await readEnvironment(deviceRoot(t.testdir({})))
  t.match(nothing, { governor: null, cooling: null, cpuTicks: null, piFlags: [], load1: null })
  probeEnvironmentSchema.parse(nothing)
  const here = await readEnvironment(deviceRoot('/'))
  t.ok((here.cpuTicks?.busy ?? 0) > 0)
  t.ok((here.availableBytes ?? 0) > 1e6)
})

t.test('a delegated cgroup gets a group with the limit, anything else none', async (t) => {
  const tree = (controllers: string) =>
    t.testdir({
      proc: { self: { cgroup: '0::/agent.slice\n' } },
      sys: { fs: { cgroup: { 'agent.slice': { 'cgroup.subtree_control': controllers } } } },
    })
  t.equal(await limitMemory(tree('cpu io'), 42, 1000), undefined)
  t.equal(await limitMemory(t.testdir({}), 42, 1000), undefined)
  const root = tree('cpu memory')
  const group = await limitMemory(root, 42, 123456)
  t.ok(group)
  // Real files stand in for the kernel's: what would be written there, is.
  const { readFile, writeFile } = await import('node:fs/promises')
  const folder = `${root}/sys/fs/cgroup/agent.slice/fitment-probe-42`
  t.equal(await readFile(`${folder}/memory.max`, 'utf8'), '123456')
  t.equal(await readFile(`${folder}/cgroup.procs`, 'utf8'), '42')
  t.equal(await group?.killed(), false)
  t.equal(await group?.peak(), undefined)
  await writeFile(`${folder}/memory.events`, 'oom 1\noom_kill 1\n')
  await writeFile(`${folder}/memory.peak`, '120000\n')
  t.equal(await group?.killed(), true)
  t.equal(await group?.peak(), 120000)
})
