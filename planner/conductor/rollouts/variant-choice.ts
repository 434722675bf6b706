import { type Profile, profileOf } from '../../classes/index.ts'
import { fits } from '../../probing/index.ts'
import {
  type Db,
  type Device,
  type StoredSelection,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { proberOf } from '../devices/probers.ts'
import { targetsOffered } from '../devices/targets-offered.ts'

/** What a selection ranked, with what each of it needs: read once for all devices of a class. */
export interface RankedVariant {
  readonly variant: Variant
  readonly memoryBytes: number
}

export async function rankedVariants(
  db: Db,
  { selection, measured }: StoredSelection,
): Promise<readonly RankedVariant[]> {
  const ranked: RankedVariant[] = []
  for (const key of selection.ranking) {
    const variant = await variants.findVariant(db, key)
    const needs = measured.find((row) => row.key === key)
    if (variant?.digest) ranked.push({ variant, memoryBytes: needs?.memoryBytes ?? 0 })
  }
  return ranked
}

/** The winner, or the best of the rest where a device is too small for it or lacks its runtime. */
export function variantFor(
  ranked: readonly RankedVariant[],
  device: Device,
  profiles: readonly Profile[],
): Variant | undefined {
  const offered = targetsOffered(device.runtimes, profileOf(profiles, device.class))
  const prober = proberOf(device, 0)
  const found = ranked.find(
    ({ variant, memoryBytes }) =>
      fits(prober, variant.bytes ?? 0) &&
      memoryBytes <= (device.memoryLimitBytes ?? Infinity) &&
      offered.includes(variant.runtime),
  )
  return found?.variant
}
