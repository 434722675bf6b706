import type { ProbeEnvironment } from '../../shared/measure/index.ts'
import { type DeviceRoot, hierarchiesOf } from '../device-root/index.ts'

/** Coolers that slow the processor; fans run without that. */
const SLOWING_COOLER = /cpu|processor|thermal-cpufreq|throttl/i

const FIRST = '/sys/devices/system/cpu/cpu0/cpufreq'

/** Raspberry Pi firmware, `get_throttled`: bits that hold now. */
const PI_BITS = { undervoltage: 0x1, 'frequency-capped': 0x2, throttled: 0x4, 'soft-limit': 0x8 }

/** What around a measurement can spoil it; null where the system does not tell. */
export async function readEnvironment(root: DeviceRoot): Promise<ProbeEnvironment> {
  const [load, memory, cpu, cpuPressure, memoryPressure] = await Promise.all([
    root.text('/proc/loadavg'),
    root.text('/proc/meminfo'),
    readCpuTimes(root),
    readPressure(root, 'cpu'),
    readPressure(root, 'memory'),
  ])
  return {
    governor: await root.text(`${FIRST}/scaling_governor`),
    frequencyKhz: await readFrequency(root),
    maxFrequencyKhz: numberIn(await root.text(`${FIRST}/cpuinfo_max_freq`)),
    frequencyLimitKhz: numberIn(await root.text(`${FIRST}/scaling_max_freq`)),
    quotaStops: await readQuotaStops(root),
    hottestCelsius: await readHottest(root),
    cooling: await readCooling(root),
    throttleCount: await sumOf(root, '/sys/devices/system/cpu/cpu*/thermal_throttle/*_count'),
    piFlags: await readPiFlags(root),
    load1: numberIn(load?.split(' ')[0]),
    availableBytes: kilobytes(memory, 'MemAvailable'),
    cpuTicks: cpu,
    cpuPressure,
    memoryPressure,
  }
}

/** What a soak is watched by, between its windows: the rest would take longer than it tells. */
export async function readHeat(
  root: DeviceRoot,
): Promise<{ readonly celsius: number | null; readonly frequencyKhz: number | null }> {
  return { celsius: await readHottest(root), frequencyKhz: await readFrequency(root) }
}

async function readFrequency(root: DeviceRoot): Promise<number | null> {
  return numberIn(await root.text(`${FIRST}/scaling_cur_freq`))
}

async function readQuotaStops(root: DeviceRoot): Promise<number | null> {
  const [group] = await hierarchiesOf(root, 'cpu')
  if (group === undefined) return null
  const stat = await root.text(`${group.folders[0]}/cpu.stat`)
  return numberIn(/^nr_throttled (\d+)/m.exec(stat ?? '')?.[1])
}

/** Ticks since boot over all processors. (proc(5), stat.) */
export async function readCpuTimes(root: DeviceRoot): Promise<ProbeEnvironment['cpuTicks']> {
  const line = (await root.text('/proc/stat'))?.split('\n')[0]?.trim().split(/\s+/)
  if (line?.[0] !== 'cpu') return null
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    line.slice(1).map(Number)
  const busy = user + nice + system + irq + softirq
  return { busy, idle: idle + iowait, steal }
}

async function readPressure(root: DeviceRoot, what: string): Promise<number | null> {
  const text = await root.text(`/proc/pressure/${what}`)
  return numberIn(/^some avg10=([\d.]+)/m.exec(text ?? '')?.[1])
}

async function readHottest(root: DeviceRoot): Promise<number | null> {
  const celsius: number[] = []
  for (const path of await root.glob('/sys/class/thermal/thermal_zone*/temp')) {
    const value = numberIn(await root.text(path))
    // Sensors that are off report nonsense.
    if (value !== null && value > -60_000 && value < 200_000) celsius.push(value / 1000)
  }
  return celsius.length === 0 ? null : Math.max(...celsius)
}

/** Sum of the states of coolers that slow the processor; 0 is none at work. */
async function readCooling(root: DeviceRoot): Promise<number | null> {
  let sum: number | null = null
  for (const folder of await root.glob('/sys/class/thermal/cooling_device*')) {
    if (!SLOWING_COOLER.test((await root.text(`${folder}/type`)) ?? '')) continue
    sum = (sum ?? 0) + (numberIn(await root.text(`${folder}/cur_state`)) ?? 0)
  }
  return sum
}

async function sumOf(root: DeviceRoot, pattern: string): Promise<number | null> {
  let sum: number | null = null
  for (const path of await root.glob(pattern))
    sum = (sum ?? 0) + (numberIn(await root.text(path)) ?? 0)
  return sum
}

async function readPiFlags(root: DeviceRoot): Promise<string[]> {
  const [path] = await root.glob('/sys/devices/platform/soc/soc*firmware/get_throttled')
  const bits = path === undefined ? 0 : Number.parseInt((await root.text(path)) ?? '0', 16)
  return Object.entries(PI_BITS).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [name]))
}

function kilobytes(text: string | null, field: string): number | null {
  const found = numberIn(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1])
  return found === null ? null : found * 1024
}

function numberIn(text: string | null | undefined): number | null {
  const value = text === null || text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : null
}
