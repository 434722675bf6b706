import { newId } from '../../../shared/ids.ts'
import type { OtherProbe } from '../../../shared/messages/index.ts'
import type { Profile } from '../../classes/index.ts'
import type { OtherEntrant } from '../../probing/index.ts'
import { type Device, variants } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { engineOffering } from '../devices/targets-offered.ts'

/** One of several that an order measures, by its key. */
export interface NamedOther {
  readonly key: string
  readonly rival: string | null
  readonly other: OtherProbe
}

interface OthersOn {
  readonly device: Device
  readonly profile: Profile | undefined
  answersOf(key: string): { readonly answersMs?: number }
  threadsOf(key: string): number
  /** The order's own variant and baseline. */
  readonly orders: { readonly id: string; readonly variant: string; readonly rival: string | null }
}

/** What else an order measures, as far as the device offers what it runs in. */
export async function othersOn(
  { artifacts, db }: ConductorContext,
  others: readonly OtherEntrant[],
  { device, profile, answersOf, threadsOf, orders }: OthersOn,
): Promise<readonly NamedOther[]> {
  const named: NamedOther[] = []
  for (const { variant: key, rival } of others) {
    const variant = await variants.findVariant(db, key)
    const engine = variant && engineOffering(device.runtimes, variant.runtime, profile)
    if (!variant?.digest || variant.state !== 'built' || engine === undefined) continue
    const other: OtherProbe = {
      probe: newId(),
      variant: variant.digest,
      artifact: await artifacts.refOf(variant.digest),
      runtime: engine.runtime,
      ...(engine.accelerator !== null && { accelerator: engine.accelerator }),
      threads: threadsOf(key),
      ...answersOf(key),
    }
    named.push({ key, rival, other })
  }
  const idOf = (key: string) =>
    key === orders.variant ? orders.id : named.find((one) => one.key === key)?.other.probe
  return named.map((one) => {
    // Nothing said is the order's own baseline.
    if (one.rival !== null && one.rival === orders.rival) return one
    const beside = one.rival === null ? undefined : idOf(one.rival)
    const rival = beside === undefined ? null : one.rival
    return { ...one, rival, other: { ...one.other, beside: beside ?? null } }
  })
}
