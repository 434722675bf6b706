import type { Prober } from '../../../planner/probing/choose-probers.ts'

/** A device that could measure: online, idle, with room for anything. */
export function prober(device: string, over: Partial<Prober> = {}): Prober {
  return {
    device,
    online: true,
    busy: 0,
    storageBytes: null,
    memoryBytes: null,
    traits: { cores: 4, memoryBytes: 4e9, maxMhz: 1800 },
    ...over,
  }
}
