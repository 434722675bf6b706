import { isAtLeast } from '../../shared/releases.ts'
import type { QuantizeOptions } from '../quantizer/index.ts'
import { type TargetName, targetOf } from '../targets/index.ts'
import type { ClassFacts } from './facts.ts'

/**
 * The first releases of TensorFlow Lite whose fully-connected kernels take a scale per output channel. The kernels for
 * int8 activations load such a file before, too, and answer garbage: tried with 2.9 (wrong) and 2.12 (right); of those
 * between nobody knows here. Kernels for float activations: runtime_version.cc.
 */
const PER_CHANNEL = { integer: '2.12', hybrid: '2.17' }

/** Below it numbers are LiteRT's, which began anew; a classic library this old is not taken at all. */
const OLDEST_CLASSIC = '2.9'
/** Its operators are all that our files use. */
const RECENT_ENOUGH = '2.17'

/** What a file must do without to be loaded and answered right by a TensorFlow Lite of that release. */
export function optionsForRelease(release: string): QuantizeOptions {
  return {
    release,
    perChannelFullyConnected: isAtLeast(release, PER_CHANNEL.integer),
    perChannelHybridFullyConnected: isAtLeast(release, PER_CHANNEL.hybrid),
  }
}

/** The release that a class's files for the target are held to; undefined where its library is recent, or tells nothing. */
export function oldRelease(
  target: TargetName,
  { oldestVersions }: Pick<ClassFacts, 'oldestVersions'>,
): string | undefined {
  const { runtime, releases, filesOf } = targetOf(target)
  // What comes with this program is recent.
  if (releases === null || filesOf === undefined) return undefined
  const release = /^\d+\.\d+(\.\d+)?/.exec(oldestVersions[runtime] ?? '')?.[0]
  if (release === undefined || !isAtLeast(release, OLDEST_CLASSIC)) return undefined
  return isAtLeast(release, RECENT_ENOUGH) ? undefined : release
}
