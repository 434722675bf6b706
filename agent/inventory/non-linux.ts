import type { HardwareReport } from '../../shared/messages/index.ts'

/** What systeminformation adds where the system has no /proc. */
export interface FactsElsewhere {
  readonly cpuModel: string | null
  readonly maxMhz: number | null
  readonly boardModel: string | null
  readonly boardVendor: string | null
  readonly distribution: string | null
  readonly battery: HardwareReport['battery']
}

const NOTHING: FactsElsewhere = {
  cpuModel: null,
  maxMhz: null,
  boardModel: null,
  boardVendor: null,
  distribution: null,
  battery: null,
}

/**
 * macOS, Windows, BSD. Loaded only there: on Linux it reads the same files as we do, and importing it costs an
 * idle agent 11 MB of its 80.
 */
export async function factsElsewhere(): Promise<FactsElsewhere> {
  // Packages for Linux come without it.
  const found = await orNull(import('systeminformation'))
  if (found === null) return NOTHING
  const { cpu, system, osInfo, battery } = found
  const [chip, machine, os, power] = await Promise.all([
    orNull(cpu()),
    orNull(system()),
    orNull(osInfo()),
    orNull(battery()),
  ])
  return {
    cpuModel: filled([chip?.manufacturer, chip?.brand].filter(Boolean).join(' ')),
    maxMhz: chip !== null && chip.speedMax > 0 ? chip.speedMax * 1000 : null,
    boardModel: filled(machine?.model),
    boardVendor: filled(machine?.manufacturer),
    distribution: filled([os?.distro, os?.release].filter(Boolean).join(' ')),
    battery: power?.hasBattery ? { percent: power.percent, charging: power.isCharging } : null,
  }
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch(() => null)
}

function filled(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text
}
