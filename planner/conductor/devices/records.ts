import type { DeviceRecord } from '../../probing/index.ts'
import type { Probe } from '../../storage/index.ts'

/** What devices measured of one variant, beside something: a soak is measured alone. */
export function recordsOf(variant: string, probes: readonly Probe[]): readonly DeviceRecord[] {
  return probes.flatMap((probe) =>
    probe.variant === variant && probe.record && probe.match !== 'soak'
      ? [{ device: probe.device, record: probe.record, rival: probe.rival }]
      : [],
  )
}
