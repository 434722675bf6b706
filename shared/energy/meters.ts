import { namesIn, numberOf, textOf } from '../sys-files.ts'

/** Something that counts joules, or tells watts. */
export interface Meter {
  readonly name: 'rapl' | 'hwmon' | 'battery'
  /** What it covers, in words. */
  readonly covers: string
  /** Shortest time that two readings should lie apart, ms: it is no more current than that. */
  readonly windowMs: number
  /** What it reads now: all joules so far, or the watts of this moment; undefined where it fell silent. */
  read(): Reading | undefined
}

export type Reading =
  | { readonly joules: number; readonly wrapsAt: number | null }
  | { readonly watts: number }

type Finder = (root: string) => Meter | undefined

/** The nearest to the processor first. */
const FINDERS: readonly Finder[] = [raplPackages, hwmonSensors, dischargingBattery]

/**
 * The meter of this device; undefined where it has none that can be read. RAPL's counters are root's alone since 2020.
 * @param root where /sys is found
 */
export function findMeter(root: string): Meter | undefined {
  for (const find of FINDERS) {
    const meter = find(root)
    if (meter?.read() !== undefined) return meter
  }
  return undefined
}

const POWERCAP = 'sys/class/powercap'

/** Running average power limit: a counter of µJ for each package, which wraps. (Documentation/power/powercap.) */
function raplPackages(root: string): Meter | undefined {
  const zones = namesIn(root, POWERCAP)
    .filter((name) => /^intel-rapl:\d+$/.test(name))
    .map((name) => `${POWERCAP}/${name}`)
    .filter((zone) => textOf(root, `${zone}/name`)?.startsWith('package'))
  if (zones.length === 0) return undefined
  const counters = zones.map((zone) => ({
    zone,
    wrapsAt: numberOf(root, `${zone}/max_energy_range_uj`) ?? null,
  }))
  return {
    name: 'rapl',
    covers: zones.map((zone) => textOf(root, `${zone}/name`)).join(' + '),
    windowMs: 100,
    read: () => added(counters.map(({ zone, wrapsAt }) => counted(root, zone, wrapsAt))),
  }
}

function counted(root: string, zone: string, wrapsAt: number | null): Reading | undefined {
  const microjoules = numberOf(root, `${zone}/energy_uj`)
  if (microjoules === undefined) return undefined
  return { joules: microjoules / 1e6, wrapsAt: wrapsAt === null ? null : wrapsAt / 1e6 }
}

const HWMON = 'sys/class/hwmon'
/** Labels of the rail that feeds a whole board: what is measured behind it is in it. (Jetson carrier boards.) */
const WHOLE_BOARD = /^(VDD_IN|POM_5V_IN|VDD_5V_IN|SYS5V|VIN_SYS_5V0|total|input)$/i
/** Sensors that measure current at a shunt. (Documentation/hwmon/ina2xx, ina3221, ina209, ina238.) */
const SENSOR = /^(ina\d|max34|adm1275|ltc|fts|power_meter)/i

interface Rail {
  readonly name: string
  readonly watts: () => number | undefined
}

function hwmonSensors(root: string): Meter | undefined {
  const rails = namesIn(root, HWMON).flatMap((name) => railsOf(root, `${HWMON}/${name}`))
  const [whole] = rails.filter(({ name }) => WHOLE_BOARD.test(name.split(' ').at(-1) ?? ''))
  const chosen = whole ? [whole] : rails
  if (chosen.length === 0) return undefined
  return {
    name: 'hwmon',
    covers: chosen.map(({ name }) => name).join(' + '),
    windowMs: 250,
    read: () => {
      const watts = chosen.map((rail) => rail.watts())
      return watts.some((one) => one === undefined)
        ? undefined
        : { watts: watts.reduce<number>((sum, one) => sum + (one ?? 0), 0) }
    },
  }
}

/** `powerN_input` in µW; else `inN_input` in mV times `currN_input` in mA. (Documentation/hwmon/sysfs-interface.) */
function railsOf(root: string, folder: string): Rail[] {
  const sensor = textOf(root, `${folder}/name`)
  if (sensor === undefined || !SENSOR.test(sensor)) return []
  const files = namesIn(root, folder)
  const numbers = (pattern: RegExp) => files.flatMap((file) => pattern.exec(file)?.[1] ?? [])
  const named = (kind: string, n: string) => {
    const label = textOf(root, `${folder}/${kind}${n}_label`)
    return label === undefined ? sensor : `${sensor} ${label}`
  }
  const powers = numbers(/^power(\d+)_input$/)
  if (powers.length > 0)
    return powers.map((n) => ({
      name: named('power', n),
      watts: () => scaled(numberOf(root, `${folder}/power${n}_input`), 1e-6),
    }))
  return numbers(/^curr(\d+)_input$/)
    .filter((n) => files.includes(`in${n}_input`))
    .map((n) => ({
      name: named('in', n),
      watts: () =>
        product(
          scaled(numberOf(root, `${folder}/in${n}_input`), 1e-3),
          scaled(numberOf(root, `${folder}/curr${n}_input`), 1e-3),
        ),
    }))
}

const SUPPLIES = 'sys/class/power_supply'

/** The battery feeds the device only while it discharges. (Documentation/ABI/testing/sysfs-class-power.) */
function dischargingBattery(root: string): Meter | undefined {
  const folder = namesIn(root, SUPPLIES)
    .map((name) => `${SUPPLIES}/${name}`)
    .find((one) => textOf(root, `${one}/type`) === 'Battery')
  if (folder === undefined) return undefined
  return {
    name: 'battery',
    covers: `the whole device, by its battery ${folder.split('/').at(-1)}`,
    windowMs: 1000,
    read: () => {
      if (textOf(root, `${folder}/status`) !== 'Discharging') return undefined
      const watts =
        scaled(numberOf(root, `${folder}/power_now`), 1e-6) ??
        product(
          scaled(numberOf(root, `${folder}/current_now`), 1e-6),
          scaled(numberOf(root, `${folder}/voltage_now`), 1e-6),
        )
      return watts === undefined ? undefined : { watts: Math.abs(watts) }
    },
  }
}

function added(readings: readonly (Reading | undefined)[]): Reading | undefined {
  let joules = 0
  let wrapsAt: number | null = null
  for (const reading of readings) {
    if (reading === undefined || !('joules' in reading)) return undefined
    joules += reading.joules
    wrapsAt = reading.wrapsAt
  }
  return { joules, wrapsAt }
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value * by
}

function product(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a * b
}
