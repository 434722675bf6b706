import { median } from './median.ts'

/** A device as a place to measure. Bytes; null: not limited. */
export interface Prober {
  readonly device: string
  readonly online: boolean
  /** Probe orders it has not answered yet, of any model. */
  readonly busy: number
  readonly storageBytes: number | null
  readonly memoryBytes: number | null
  /** What tells devices of one class apart; the median device stands for the class best. */
  readonly traits: {
    readonly cores: number
    readonly memoryBytes: number
    readonly maxMhz: number | null
  }
}

export const PROBERS_PER_CLASS = 3

export interface ProberChoice {
  readonly devices: readonly string[]
  /** One line for `fitment plan`. */
  readonly why: string
}

/**
 * The devices of a class that measure every candidate. Those that already measure for this class stay
 * (`sticky`): measurements of one device are comparable. Then the online before the offline, the
 * typical before the odd, the idle before the busy; ids break ties, so the choice repeats.
 */
export function chooseProbers(
  devices: readonly Prober[],
  sticky: ReadonlySet<string>,
  most: number = PROBERS_PER_CLASS,
): ProberChoice {
  const online = devices.filter((device) => device.online)
  if (online.length === 0) {
    const why =
      devices.length === 0
        ? 'no device of the class is known'
        : `no device of the class is online (${devices.length} known)`
    return { devices: [], why }
  }
  const oddness = oddnessAmong(devices)
  const ranked = [...online].sort(
    (a, b) =>
      Number(sticky.has(b.device)) - Number(sticky.has(a.device)) ||
      oddness(a) - oddness(b) ||
      a.busy - b.busy ||
      a.device.localeCompare(b.device),
  )
  const chosen = ranked.slice(0, most).map(({ device }) => device)
  const why = `${chosen.length} of ${devices.length} device${devices.length === 1 ? '' : 's'}: ${chosen.join(', ')}`
  return { devices: chosen, why }
}

/** Sum over traits of |log(value / class median)|: scale-free, 0 for the median device. */
function oddnessAmong(devices: readonly Prober[]): (device: Prober) => number {
  const traits = ['cores', 'memoryBytes', 'maxMhz'] as const
  const medians = traits.map((trait) =>
    median(devices.flatMap((device) => device.traits[trait] ?? [])),
  )
  return (device) =>
    traits.reduce((sum, trait, index) => {
      const value = device.traits[trait]
      const middle = medians[index]
      if (!value || !middle) return sum
      return sum + Math.round(20 * Math.abs(Math.log2(value / middle))) / 20
    }, 0)
}

/**
 * Whether this file may be sent there at all, beside `othersBytes` that the same work needs on the disk;
 * the device's own refusal has the last word.
 */
export function fits(
  device: Pick<Prober, 'storageBytes' | 'memoryBytes'>,
  bytes: number,
  othersBytes = 0,
): boolean {
  const onDisk = bytes + othersBytes
  return onDisk <= (device.storageBytes ?? Infinity) && bytes <= (device.memoryBytes ?? Infinity)
}
