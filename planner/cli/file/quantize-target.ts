import { UsageError } from '../../../shared/errors.ts'
import { type ModelFormat, runtimeFor } from '../../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, type Scheme, type SchemeSuffix } from '../../../shared/schemes.ts'
import { loadProfiles, type Profile } from '../../classes/index.ts'
import { compareReleases } from '../../formats/tflite/index.ts'
import type { QuantizeOptions } from '../../quantizer/index.ts'
import type { CliOption } from '../program/command.ts'

export const TARGET_OPTION: CliOption = {
  flags: '--target <class|release>',
  description:
    'where the file must load: a device class, or the oldest TensorFlow Lite release, e.g. 2.5; operators too new for it stay in float',
}

/** What a target asks of a file. */
export interface Target {
  readonly scheme: Scheme
  readonly options: QuantizeOptions
  /** Its processors add products in 16 bits, and the form was left open: the better of two. */
  readonly narrowSums?: boolean
}

const RELEASE = /^\d+\.\d+(\.\d+)?$/

/** The first release whose fully-connected kernels take float activations and a scale per output channel. */
const HYBRID_PER_CHANNEL = '2.17.0'

/** @throws UsageError where no such class exists, or it cannot run such files at all */
export async function targetFor(
  text: string | undefined,
  scheme: Scheme,
  format: ModelFormat,
): Promise<Target> {
  if (text === undefined) return { scheme, options: {} }
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

function releaseTarget(release: string, scheme: Scheme, format: ModelFormat): Target {
  if (format !== 'tflite') {
    throw new UsageError(
      `--target ${release} is a TensorFlow Lite release and the model is .${format}: name a device class`,
    )
  }
  const perChannelHybridFullyConnected = compareReleases(release, HYBRID_PER_CHANNEL) >= 0
  return { scheme, options: { release, perChannelHybridFullyConnected } }
}

/** Devices carry the runtimes that this program ships, so releases are no concern: support and numbers are. */
function classTarget(profile: Profile, scheme: Scheme, format: ModelFormat): Target {
  const runtime = runtimeFor(format)
  const { supported, why } = profile.runtimes[runtime]
  if (!supported) {
    throw new UsageError(`${profile.id} cannot run .${format} files: ${why}`, {
      class: profile.id,
    })
  }
  if (format !== 'onnx') return { scheme, options: {} }
  const formed = inFormOf(profile, scheme)
  const calibrated = BASE_SCHEMES[scheme.base].calibrated
  const narrowSums = calibrated && formed !== scheme && hasSuffix(formed, 'rr')
  return { scheme: formed, options: {}, ...(narrowSums && { narrowSums }) }
}

/** The integer form that the class computes best in, where the scheme's name leaves it open. */
function inFormOf({ numerics: { onnxForm } }: Profile, scheme: Scheme): Scheme {
  const open = !scheme.suffixes.some((suffix) => FORM_SUFFIXES.includes(suffix))
  const { activations } = BASE_SCHEMES[scheme.base]
  if (onnxForm === null || !open) return scheme
  const parts = onnxForm.split('-') as SchemeSuffix[]
  if (activations === 'int8') return { ...scheme, suffixes: [...parts, ...scheme.suffixes] }
  // What kernels quantize by themselves they hold unsigned.
  const narrow = activations === 'dynamic' && parts.includes('rr')
  return narrow ? { ...scheme, suffixes: ['rr'] } : scheme
}

const FORM_SUFFIXES: readonly SchemeSuffix[] = ['s8s8', 'u8s8', 'rr']
