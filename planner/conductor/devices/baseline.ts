import { isOneOf } from '../../../shared/open-words.ts'
import { MODEL_FORMAT_NAMES } from '../../../shared/runtime/index.ts'
import type { Profile } from '../../classes/index.ts'
import type { Device, Model } from '../../storage/index.ts'
import { referenceTarget, TARGET_NAMES, type TargetName, targetOf } from '../../targets/index.ts'
import { targetsOffered } from './targets-offered.ts'

/**
 * The target whose float32 every variant is measured beside, so that targets can be compared by the ratio: the packaged
 * runtime that takes the source as given, or else the first plain runtime that the devices have. Null where there is
 * none: then each target's own float32 is the measure.
 */
export function baselineTarget(
  { facts }: Pick<Model, 'facts'>,
  devices: readonly Pick<Device, 'runtimes'>[],
  profile: Pick<Profile, 'runtimes' | 'accelerators'> | undefined,
): TargetName | null {
  // Of a format that a newer planner knows, there is no runtime here.
  if (!isOneOf(MODEL_FORMAT_NAMES, facts.format)) return null
  const reference = referenceTarget(facts.format)
  const present = devices.some(({ runtimes }) => runtimes.some(({ name }) => name === reference))
  if (present) return reference
  const offered = new Set(devices.flatMap(({ runtimes }) => targetsOffered(runtimes, profile)))
  const plain = TARGET_NAMES.filter((name) => offered.has(name) && !targetOf(name).accelerator)
  return plain.find((name) => targetOf(name).format === facts.format) ?? plain[0] ?? null
}
