import { digestOf } from '../../../shared/digest.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { OrderOf } from '../../../shared/messages/orders.ts'
import type { ReportOf } from '../../../shared/messages/reports.ts'

/** Messages as real ends send them, for tests that need one and do not care which. */
export const DIGEST = digestOf('a variant')

export function sampleBirth(changes: Partial<Birth> = {}): Birth {
  return {
    v: 1,
    id: 'birth-1',
    epoch: { start: 'start-1', connection: 0 },
    agentVersion: '0.1.0',
    report: {
      architecture: 'arm64',
      board: {
        model: 'Raspberry Pi 4 Model B Rev 1.4',
        vendor: null,
        compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'],
        source: 'device-tree',
      },
      cpu: {
        model: 'Cortex-A72',
        cores: 4,
        features: ['neon'],
        parts: [{ implementer: '0x41', part: '0xd08', count: 4 }],
        maxMhz: 1800,
      },
      accelerators: [],
      memory: { totalBytes: 4 * 2 ** 30, availableBytes: 3 * 2 ** 30 },
      storage: { totalBytes: 32 * 2 ** 30, freeBytes: 20 * 2 ** 30 },
      thermalZones: [{ type: 'cpu-thermal', celsius: 48.5 }],
      os: { kernel: '6.6.31', distribution: 'Debian GNU/Linux 12', libc: 'glibc 2.36' },
      battery: null,
      emulated: true,
    },
    runtimes: [{ name: 'litert', version: '2.5.3' }],
    memoryLimitBytes: null,
    slots: [{ model: 'ic01', variant: DIGEST, active: true }],
    roots: { director: 1, image: 1 },
    ...changes,
  }
}

export function sampleCancel(id = 'order-1'): OrderOf<'cancel'> {
  return { v: 1, id, kind: 'cancel', order: 'probe-1' }
}

export function sampleAck(id: string, order = 'order-1'): ReportOf<'ack'> {
  return { v: 1, id, at: '2026-11-23T12:00:00Z', kind: 'ack', order }
}
