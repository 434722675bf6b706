import { ARCHITECTURES } from '../../../shared/messages/index.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { isPackaged, RUNTIME_NAMES, type RuntimeName } from '../../../shared/runtime/index.ts'
import type { Profile } from '../../classes/index.ts'
import type { Room } from '../../selection/index.ts'
import type { Device } from '../../storage/index.ts'
import type { ClassFacts } from '../../variants/index.ts'

/** What the devices of a class have between them. */
export function factsOfClass(
  id: string,
  devices: readonly Device[],
  profile: Profile | undefined,
): ClassFacts {
  const names = new Set(devices.flatMap((device) => device.runtimes.map(({ name }) => name)))
  const architecture = profile?.identify.architecture ?? devices[0]?.report.architecture ?? 'other'
  return {
    id,
    architecture: isOneOf(ARCHITECTURES, architecture) ? architecture : 'other',
    features: Object.entries(profile?.numerics ?? {}).flatMap(([name, has]) =>
      has === true ? [name] : [],
    ),
    // Runtimes that devices have and this planner does not know are for people to see.
    runtimes: RUNTIME_NAMES.filter((name) => names.has(name) && isSupported(profile, name)),
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

function isSupported(profile: Profile | undefined, runtime: RuntimeName): boolean {
  // A native library is the device's own: that it has one says all.
  return profile === undefined || !isPackaged(runtime) || profile.runtimes[runtime].supported
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
  const ordered = versions
    .map(({ version }) => version)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return ordered[0] ?? null
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 || known.length < values.length ? null : Math.max(...known)
}
