import type { ProbeRecord } from '../../../shared/measure/index.ts'
import type { Device } from '../../storage/index.ts'

const GIB = 2 ** 30

/**
 * What may tell devices of one class apart, the likeliest reason of a speed first. What a measurement found around it is newer
 * than what a birth said.
 */
export function deviceFacts(
  { report }: Pick<Device, 'report'>,
  record: ProbeRecord | null,
): ReadonlyMap<string, string> {
  const { governor = null, frequencyLimitKhz = null } = record?.environment?.before ?? {}
  const facts: Readonly<Record<string, string | null | undefined>> = {
    governor,
    'frequency limit':
      frequencyLimitKhz === null ? null : `${(frequencyLimitKhz / 1e6).toFixed(1)} GHz`,
    RAM: `${Math.round((2 * report.memory.totalBytes) / GIB) / 2} GiB`,
    cores: String(report.cpu.cores),
    processor: report.cpu.model,
    kernel: report.os.kernel,
    libc: report.os.libc,
    distribution: report.os.distribution,
  }
  return new Map(Object.entries(facts).filter((one): one is [string, string] => one[1] != null))
}
