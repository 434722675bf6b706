import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { findMeter, measureEnergy } from '../../../shared/energy/index.ts'
import { energyRecordSchema } from '../../../shared/measure/energy-record.ts'

async function planted(
  t: { teardown(end: () => unknown): void },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'fitment-energy-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  await write(root, files)
  return root
}

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, 'sys/class', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${text}\n`)
  }
}

const RAPL = {
  'powercap/intel-rapl:0/name': 'package-0',
  'powercap/intel-rapl:0/energy_uj': '1000000',
  'powercap/intel-rapl:0/max_energy_range_uj': '5000000',
  'powercap/intel-rapl:0:0/name': 'core',
  'powercap/intel-rapl:0:0/energy_uj': '900000',
}
const JETSON = {
  'hwmon/hwmon3/name': 'ina3221',
  'hwmon/hwmon3/in1_label': 'VDD_IN',
  'hwmon/hwmon3/in1_input': '5000',
  'hwmon/hwmon3/curr1_input': '1200',
  'hwmon/hwmon3/in2_label': 'VDD_CPU_GPU_CV',
  'hwmon/hwmon3/in2_input': '5000',
  'hwmon/hwmon3/curr2_input': '400',
}
const BATTERY = {
  'power_supply/AC/type': 'Mains',
  'power_supply/BAT0/type': 'Battery',
  'power_supply/BAT0/status': 'Discharging',
  'power_supply/BAT0/current_now': '500000',
  'power_supply/BAT0/voltage_now': '7400000',
}

t.test('the packages of RAPL count joules, their parts not once more', async (t) => {
  const meter = findMeter(await planted(t, RAPL))
  t.match(meter, { name: 'rapl', covers: 'package-0' })
  t.same(meter?.read(), { joules: 1, wrapsAt: 5 })
})

t.test('of rails behind each other the one that feeds the board counts', async (t) => {
  const meter = findMeter(await planted(t, JETSON))
  t.match(meter, { name: 'hwmon', covers: 'ina3221 VDD_IN' })
  t.same(meter?.read(), { watts: 6 })
})

t.test('rails side by side are added, and each is named', async (t) => {
  const root = await planted(t, {
    'hwmon/hwmon0/name': 'ina226',
    'hwmon/hwmon0/power1_input': '1500000',
    'hwmon/hwmon1/name': 'ina219',
    'hwmon/hwmon1/power1_input': '500000',
    'hwmon/hwmon2/name': 'coretemp',
    'hwmon/hwmon2/power1_input': '9000000',
  })
  const meter = findMeter(root)
  t.equal(meter?.covers, 'ina226 + ina219')
  t.same(meter?.read(), { watts: 2 })
})

t.test('a battery tells while it discharges, and is silent while it charges', async (t) => {
  const root = await planted(t, BATTERY)
  const meter = findMeter(root)
  t.equal(meter?.name, 'battery')
  const reading = meter?.read()
  t.ok(reading && 'watts' in reading && Math.abs(reading.watts - 3.7) < 1e-9)
  await write(root, { 'power_supply/BAT0/status': 'Charging' })
  t.equal(findMeter(root), undefined)
})

t.test('a device without a meter has none', async (t) => {
  t.equal(findMeter(await planted(t, {})), undefined)
  t.equal(findMeter(join(tmpdir(), 'no-such-root')), undefined)
  const { 'powercap/intel-rapl:0/energy_uj': _, ...unreadable } = RAPL
  t.equal(findMeter(await planted(t, unreadable)), undefined, 'root’s alone since 2020')
})

/** A device that draws 2 W at rest, and 5 W while it runs. */
function simulated() {
  let now = 0
  let joules = 4.9
  const wrapsAt = 5
  const pass = (ms: number, watts: number) => {
    now += ms
    joules = (joules + (watts * ms) / 1000) % wrapsAt
  }
  return {
    clock: () => now,
    wait: async (ms: number) => pass(ms, 2),
    run: () => pass(10, 5),
    counter: () => ({ joules, wrapsAt }),
  }
}

t.test(
  'a run is charged with what it adds to the draw at rest, over a wrap of the counter',
  async (t) => {
    const { run, counter, ...hooks } = simulated()
    const meter = { name: 'rapl', covers: 'package-0', windowMs: 100, read: counter } as const
    const record = await measureEnergy(run, meter, { ms: 6_000, ...hooks })
    t.ok(record && Math.abs(record.perRunMj - 30) < 0.5, `${record?.perRunMj} mJ: 3 W for 10 ms`)
    t.ok(record && Math.abs(record.idleWatts - 2) < 0.01 && Math.abs(record.watts - 5) < 0.01)
    t.same(energyRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
  },
)

t.test('watts are added up over time', async (t) => {
  let busy = false
  let now = 0
  const meter = {
    ...({ name: 'hwmon', covers: 'ina219', windowMs: 250 } as const),
    read: () => ({ watts: busy ? 5 : 2 }),
  }
  const record = await measureEnergy(
    () => {
      busy = true
      now += 20
    },
    meter,
    {
      ms: 6_000,
      clock: () => now,
      wait: async (ms) => {
        busy = false
        now += ms
      },
    },
  )
  t.ok(record && Math.abs(record.perRunMj - 60) < 6, `${record?.perRunMj} mJ: 3 W for 20 ms`)
})

t.test('a meter that falls silent gives no figure', async (t) => {
  const { run, ...hooks } = simulated()
  let reads = 0
  const meter = {
    ...({ name: 'battery', covers: 'BAT0', windowMs: 100 } as const),
    read: () => (reads++ < 30 ? { watts: 3 } : undefined),
  }
  t.equal(
    await measureEnergy(run, meter, { ms: 3_000, clock: hooks.clock, wait: hooks.wait }),
    undefined,
  )
})
