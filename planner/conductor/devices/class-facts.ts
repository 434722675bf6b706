import { ARCHITECTURES } from '../../../shared/messages/index.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { compareVersions } from '../../../shared/releases.ts'
import { RUNTIME_NAMES } from '../../../shared/runtime/index.ts'
import type { Profile } from '../../classes/index.ts'
import type { Room } from '../../selection/index.ts'
import type { Device } from '../../storage/index.ts'
import { TARGET_NAMES, type TargetName } from '../../targets/index.ts'
import type { ClassFacts } from '../../variants/index.ts'
import { targetsOffered } from './targets-offered.ts'

/** What the devices of a class have between them. */
export function factsOfClass(
  id: string,
  devices: readonly Device[],
  profile: Profile | undefined,
): ClassFacts {
  const architecture = profile?.identify.architecture ?? devices[0]?.report.architecture ?? 'other'
  return {
    id,
    architecture: isOneOf(ARCHITECTURES, architecture) ? architecture : 'other',
    features: Object.entries(profile?.numerics ?? {}).flatMap(([name, has]) =>
      has === true ? [name] : [],
    ),
    targets: offeredBy(devices, profile),
    oldestVersions: oldestVersions(devices),
    onnxForm: profile?.numerics.onnxForm ?? null,
    ...roomOf(devices),
  }
}

/** Of the roomiest device: tighter ones are seen to one by one. */
export function roomOf(devices: readonly Device[]): Room {
  return {
    storageBytes: largest(devices.map(({ storageRoom }) => storageRoom)),
    memoryBytes: largest(devices.map(({ memoryRoom }) => memoryRoom)),
  }
}

export function threadsFor(device: Device, profile: Profile | undefined): number {
  return Math.max(1, Math.min(profile?.threads.recommended ?? 1, device.report.cpu.cores))
}

/** In the order of the table of targets, whatever the order of devices. */
function offeredBy(devices: readonly Device[], profile: Profile | undefined): TargetName[] {
  const offered = new Set(devices.flatMap(({ runtimes }) => targetsOffered(runtimes, profile)))
  return TARGET_NAMES.filter((name) => offered.has(name))
}

function oldestVersions(devices: readonly Device[]): ClassFacts['oldestVersions'] {
  const installed = devices.flatMap(({ runtimes }) => runtimes)
  return Object.fromEntries(
    RUNTIME_NAMES.flatMap((runtime) => {
      const version = oldest(installed.filter(({ name }) => name === runtime))
      return version === null ? [] : [[runtime, version] as const]
    }),
  )
}

function oldest(versions: readonly { readonly version: string }[]): string | null {
  const ordered = versions.map(({ version }) => version).sort(compareVersions)
  return ordered[0] ?? null
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 || known.length < values.length ? null : Math.max(...known)
}
