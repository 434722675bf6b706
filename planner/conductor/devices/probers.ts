import type { Prober } from '../../probing/index.ts'
import type { Device } from '../../storage/index.ts'

export function proberOf(device: Device, busy: number): Prober {
  return {
    device: device.id,
    online: device.online,
    busy,
    storageBytes: device.storageRoom,
    memoryBytes: device.memoryRoom,
    traits: {
      cores: device.report.cpu.cores,
      memoryBytes: device.report.memory.totalBytes,
      maxMhz: device.report.cpu.maxMhz,
    },
  }
}
