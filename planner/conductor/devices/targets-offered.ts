import { acceleratorOf } from '../../../shared/messages/index.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { isPackaged, RUNTIME_NAMES, type RuntimeName } from '../../../shared/runtime/index.ts'
import type { Profile } from '../../classes/index.ts'
import {
  ACCELERATED_NAMES,
  type AcceleratedName,
  type Accelerator,
  type TargetName,
  targetOf,
} from '../../targets/index.ts'

/** What a device says of one runtime, as far as it decides which files are made for it. */
export interface OfferedRuntime {
  /** Possibly of a runtime that this planner does not know: that one is for people to see. */
  readonly name: string
  readonly version: string
  /** In the order in which they are asked for operators. */
  readonly delegates?: readonly { readonly name: string }[] | undefined
  /** Of OpenVINO: what it computes on. */
  readonly device?: string | undefined
}

/** Inside a library of TensorFlow Lite: its own kernels for processors, no target of its own. */
const PROCESSORS = 'xnnpack'

/** The targets of what a device offers, each once. The profile tells configurations apart that a delegate does not. */
export function targetsOffered(
  runtimes: readonly OfferedRuntime[],
  profile: Pick<Profile, 'runtimes' | 'accelerators'> | undefined,
): readonly TargetName[] {
  return [...new Set(runtimes.flatMap((offered) => targetsOfRuntime(offered, profile)))]
}

/** What of a device's engines a file for the target runs in, as an order names it; undefined where it has none. */
export function engineOffering(
  runtimes: readonly OfferedRuntime[],
  target: TargetName,
  profile: Pick<Profile, 'runtimes' | 'accelerators'> | undefined,
): { readonly runtime: RuntimeName; readonly accelerator: string | null } | undefined {
  const engine = runtimes.find((offered) => targetsOfRuntime(offered, profile).includes(target))
  if (engine === undefined) return undefined
  return { runtime: targetOf(target).runtime, accelerator: acceleratorOf(engine) }
}

function targetsOfRuntime(
  { name, delegates = [], device }: OfferedRuntime,
  profile: Pick<Profile, 'runtimes' | 'accelerators'> | undefined,
): readonly TargetName[] {
  if (!isOneOf(RUNTIME_NAMES, name) || !isSupported(profile, name)) return []
  const first = delegates.map((delegate) => delegate.name).find((one) => one !== PROCESSORS)
  if (first !== undefined) return byDelegate(name, first, profile)
  // `GPU.1` is a GPU; of AUTO and HETERO nobody knows what they will compute on.
  const kind = device?.split('.')[0]
  const [onDevice] = accelerated(name, ({ by, name: own }) => by === 'device' && own === kind)
  return [onDevice ?? name]
}

function byDelegate(
  runtime: RuntimeName,
  delegate: string,
  profile: Pick<Profile, 'accelerators'> | undefined,
): readonly TargetName[] {
  const known = accelerated(runtime, ({ by, name }) => by === 'delegate' && name === delegate)
  if (known.length === 0) {
    return accelerated(runtime, ({ by, name }) => by === 'delegate' && name === 'external')
  }
  if (known.length === 1) return known
  // A file for another configuration does not run: without a profile that says which, none is made.
  const described = (profile?.accelerators ?? []).flatMap(({ targets }) => targets ?? [])
  return known.filter((target) => described.includes(target))
}

function accelerated(
  runtime: RuntimeName,
  isReached: (reached: Accelerator['reached']) => boolean,
): readonly AcceleratedName[] {
  return ACCELERATED_NAMES.filter((name) => {
    const target = targetOf(name)
    return target.runtime === runtime && target.accelerator && isReached(target.accelerator.reached)
  })
}

function isSupported(
  profile: Pick<Profile, 'runtimes'> | undefined,
  runtime: RuntimeName,
): boolean {
  // A native library is the device's own: that it has one says all.
  return profile === undefined || !isPackaged(runtime) || profile.runtimes[runtime].supported
}
