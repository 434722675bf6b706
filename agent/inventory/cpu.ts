import type { Architecture, HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'
import { usableCores } from './cores.ts'
import { type CpuInfo, parseCpuinfo } from './cpuinfo.ts'
import { coreName } from './midr-parts.ts'
import { numberOf } from './numbers.ts'

const NODE_ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: 'x64',
  ia32: 'ia32',
  arm64: 'arm64',
  arm: 'arm',
  riscv64: 'riscv64',
}

export interface CpuFacts {
  readonly architecture: Architecture
  readonly cpu: HardwareReport['cpu']
  readonly boardModel: string | null
}

/**
 * The running system's architecture is that of this process (a 32-bit userland on a 64-bit kernel runs 32-bit
 * runtimes); a captured tree's is read from the form of its cpuinfo.
 */
export async function readCpu(root: DeviceRoot): Promise<CpuFacts> {
  const info = parseCpuinfo((await root.text('/proc/cpuinfo')) ?? '')
  return {
    architecture: root.live ? (NODE_ARCHITECTURES[process.arch] ?? 'other') : info.architecture,
    cpu: {
      model: modelOf(info),
      cores: await usableCores(root, info.processors),
      features: [...info.features],
      parts: info.parts.slice(0, 64).map((part) => ({ ...part })),
      maxMhz: await maxMhz(root),
    },
    boardModel: info.boardModel,
  }
}

/** 64-bit ARM kernels give no name, 32-bit ones a vague one: the core names say more. */
function modelOf(info: CpuInfo): string {
  const cores = info.parts.map((p) => `${p.count}× ${coreName(p.implementer, p.part)}`)
  if (cores.length > 0) return cores.join(' + ')
  return info.modelName ?? 'unknown'
}

async function maxMhz(root: DeviceRoot): Promise<number | null> {
  const paths = await root.glob('/sys/devices/system/cpu/cpu*/cpufreq/cpuinfo_max_freq')
  const kilohertz = await Promise.all(paths.map(async (path) => numberOf(await root.text(path))))
  const known = kilohertz.filter((value) => value !== null && value > 0) as number[]
  return known.length === 0 ? null : Math.max(...known) / 1000
}
