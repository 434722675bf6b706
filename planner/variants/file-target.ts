import { UsageError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, type Scheme } from '../../shared/schemes.ts'
import { loadProfiles, type Profile } from '../classes/index.ts'
import type { QuantizeOptions } from '../quantizer/index.ts'
import { referenceTarget, targetOf } from '../targets/index.ts'
import { inFormOf } from './code-form.ts'
import { optionsForRelease } from './old-release.ts'

/** What a place asks of a file that shall load there. */
export interface FileTarget {
  readonly scheme: Scheme
  readonly options: QuantizeOptions
  /** Its processors add products in 16 bits, and the form was left open: the better of two. */
  readonly narrowSums?: boolean
}

const RELEASE = /^\d+\.\d+(\.\d+)?$/

/** @throws UsageError where no such class exists, or it cannot run such files at all */
export async function fileTargetFor(
  text: string,
  scheme: Scheme,
  format: ModelFormat,
): Promise<FileTarget> {
  if (RELEASE.test(text)) return releaseTarget(text, scheme, format)
  const profiles = await loadProfiles()
  const profile = profiles.find(({ id }) => id === text)
  if (profile !== undefined) return classTarget(profile, scheme, format)
  const classes = profiles.map(({ id }) => id).sort()
  throw new UsageError(
    `"${text}" is no device class and no release such as 2.5: classes are ${classes.join(', ')}`,
    { target: text },
  )
}

function releaseTarget(release: string, scheme: Scheme, format: ModelFormat): FileTarget {
  if (targetOf(referenceTarget(format)).releases === null) {
    throw new UsageError(
      `--target ${release} is a TensorFlow Lite release and the model is .${format}: name a device class`,
    )
  }
  return { scheme, options: optionsForRelease(release) }
}

/** Devices carry the runtimes that this program ships, so releases are no concern: support and numbers are. */
function classTarget(profile: Profile, scheme: Scheme, format: ModelFormat): FileTarget {
  const target = targetOf(referenceTarget(format))
  const { supported, why } = profile.runtimes[target.runsHereIn]
  if (!supported) {
    throw new UsageError(`${profile.id} cannot run .${format} files: ${why}`, {
      class: profile.id,
    })
  }
  const formed = inFormOf(profile, scheme, target)
  const calibrated = BASE_SCHEMES[scheme.base].calibrated
  const narrowSums = calibrated && formed !== scheme && hasSuffix(formed, 'rr')
  return { scheme: formed, options: {}, ...(narrowSums && { narrowSums }) }
}
