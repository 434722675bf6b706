import type { RuntimeName } from '../../../shared/runtime/index.ts'
import type { Device, Model } from '../../storage/index.ts'
import { referenceTarget } from '../../targets/index.ts'

/**
 * The runtime whose float32 every variant is measured beside, so that runtimes can be compared by the ratio: the one
 * that takes the source as given. Null where no device has it: then each runtime's own float32 is the measure.
 */
export function baselineRuntime(
  { facts }: Pick<Model, 'facts'>,
  devices: readonly Pick<Device, 'runtimes'>[],
): RuntimeName | null {
  const wanted = referenceTarget(facts.format)
  const present = devices.some(({ runtimes }) => runtimes.some(({ name }) => name === wanted))
  return present ? wanted : null
}
