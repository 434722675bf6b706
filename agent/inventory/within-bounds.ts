import type { HardwareReport } from '../../shared/messages/index.ts'

/** The report's schema bounds every text and list; a file full of noise must not make the birth message illegal. */
export function withinBounds(report: HardwareReport): HardwareReport {
  const { board, cpu, os } = report
  return {
    ...report,
    board: {
      ...board,
      model: cutOrNull(board.model, 256),
      vendor: cutOrNull(board.vendor, 256),
      compatible: board.compatible.slice(0, 64).map((name) => cut(name, 128)),
    },
    cpu: { ...cpu, model: cut(cpu.model, 256), parts: cpu.parts.slice(0, 64) },
    accelerators: report.accelerators.slice(0, 32),
    thermalZones: report.thermalZones
      .slice(0, 64)
      .map((zone) => ({ ...zone, type: cut(zone.type, 64) })),
    os: {
      kernel: cut(os.kernel, 256),
      distribution: cutOrNull(os.distribution, 256),
      libc: cutOrNull(os.libc, 64),
    },
  }
}

function cutOrNull(text: string | null, most: number): string | null {
  return text === null ? null : cut(text, most)
}

/** Printable characters only: terminal escapes in a device's name must not reach an operator's screen. */
function cut(text: string, most: number): string {
  return text.replace(/\p{C}/gu, ' ').slice(0, most)
}
