import type { HardwareReport } from '../../shared/messages/index.ts'
import { deviceRoot } from '../device-root/index.ts'
import { readAccelerators } from './accelerators.ts'
import { readBattery } from './battery.ts'
import { readBoard } from './board.ts'
import { readCpu } from './cpu.ts'
import { readMemory } from './memory.ts'
import { factsElsewhere } from './non-linux.ts'
import { readOperatingSystem } from './operating-system.ts'
import { readStorage } from './storage.ts'
import { readThermalZones } from './thermal.ts'
import { withinBounds } from './within-bounds.ts'

export interface InventoryOptions {
  /** `/`, or a captured device tree: then the identity is emulated, and only the storage is this host's. */
  readonly root?: string
  /** Where the agent keeps its slots; it need not exist yet. */
  readonly stateDir: string
  /** Budget for all that lies under `stateDir`, bytes. */
  readonly storageLimitBytes?: number
  /** Most memory the agent may tell of, bytes. */
  readonly memoryLimitBytes?: number
}

/** What this device is. Never throws: a fact that cannot be read is null, 0, empty or `unknown`. */
export async function readReport(options: InventoryOptions): Promise<HardwareReport> {
  const root = deviceRoot(options.root ?? '/')
  const { architecture, cpu, boardModel } = await readCpu(root)
  const [board, accelerators, memory, storage, thermalZones, os, battery] = await Promise.all([
    readBoard(root, boardModel),
    readAccelerators(root),
    readMemory(root, options.memoryLimitBytes),
    readStorage(options.stateDir, options.storageLimitBytes),
    readThermalZones(root),
    readOperatingSystem(root),
    readBattery(root),
  ])
  const report: HardwareReport = {
    architecture,
    board,
    cpu,
    accelerators,
    memory,
    storage,
    thermalZones,
    os,
    battery,
    emulated: !root.live,
  }
  const hasProc = !root.live || (await root.exists('/proc/cpuinfo'))
  return withinBounds(hasProc ? report : await completed(report))
}

async function completed(report: HardwareReport): Promise<HardwareReport> {
  const facts = await factsElsewhere()
  return {
    ...report,
    board: {
      ...report.board,
      model: report.board.model ?? facts.boardModel,
      vendor: report.board.vendor ?? facts.boardVendor,
    },
    cpu: {
      ...report.cpu,
      model: facts.cpuModel ?? report.cpu.model,
      // AArch64 has Advanced SIMD by definition.
      features: report.architecture === 'arm64' ? ['neon'] : report.cpu.features,
      maxMhz: report.cpu.maxMhz ?? facts.maxMhz,
    },
    os: { ...report.os, distribution: report.os.distribution ?? facts.distribution },
    battery: report.battery ?? facts.battery,
  }
}
