import { formatBytes, formatMs, formatPercent, formatRatio } from '../../shared/units.ts'
import type { CandidateRow, ClassPlan, DeviceView, ProbeView } from '../api/index.ts'
import type { DemoDevice } from './fleet.ts'

/** What one device ended on, and what that was measured to be. Times ms, sizes bytes, accuracies shares of one. */
export interface DeviceOutcome {
  readonly device: string
  readonly class: string
  readonly board: string
  readonly story: string
  /** Identity read from a captured device tree; every number is measured on this host. */
  readonly emulated: boolean
  readonly scheme: string | null
  readonly runtime: string | null
  readonly variant: string | null
  readonly bytes: number | null
  readonly p50Ms: number | null
  readonly p50RatioToFloat32: number | null
  readonly accuracy: number | null
  readonly accuracyFloat32: number | null
  readonly memoryBytes: number | null
  /** Whether this device measured it itself, or another one of its class did. */
  readonly measuredBy: 'itself' | 'its class' | null
  readonly why: string
  readonly candidates: readonly CandidateRow[]
}

export interface DemoFacts {
  readonly model: string
  readonly devices: readonly DeviceView[]
  readonly plans: readonly ClassPlan[]
  readonly probes: readonly ProbeView[]
  readonly accuracyFloat32: number | null
}

export function outcomeOf(member: DemoDevice, facts: DemoFacts): DeviceOutcome {
  const device = facts.devices.find(({ id }) => id === member.device)
  const plan = facts.plans.find((row) => row.class === device?.class)
  const slot = device?.installed.find(({ model, active }) => model === facts.model && active)
  // One file may serve several targets: what was chosen comes first.
  const sameFile = (plan?.candidates ?? []).filter(({ digest }) => digest === slot?.variant)
  const candidate = sameFile.find(({ verdict }) => verdict === 'chosen') ?? sameFile[0]
  return {
    device: member.device,
    class: device?.class ?? 'unknown',
    board: device?.board ?? 'never seen',
    story: member.story,
    emulated: device?.emulated ?? false,
    variant: slot?.variant ?? null,
    accuracyFloat32: facts.accuracyFloat32,
    ...measurements(candidate, ownProbe(member.device, candidate, facts.probes)),
    why: plan?.why ?? 'its class was never planned',
    candidates: plan?.candidates ?? [],
  }
}

function ownProbe(
  device: string,
  candidate: CandidateRow | undefined,
  probes: readonly ProbeView[],
): ProbeView | undefined {
  return probes.find(
    (probe) =>
      probe.device === device &&
      probe.p50Ms !== null &&
      probe.scheme === candidate?.scheme &&
      probe.runtime === candidate.runtime,
  )
}

const NOTHING = {
  scheme: null,
  runtime: null,
  bytes: null,
  p50Ms: null,
  p50RatioToFloat32: null,
  accuracy: null,
  memoryBytes: null,
  measuredBy: null,
} as const

/** The device's own probe where it made one, else what its class measured. */
function measurements(candidate: CandidateRow | undefined, own: ProbeView | undefined) {
  if (candidate === undefined) return NOTHING
  const { scheme, runtime, bytes, host, measured } = candidate
  const source = own ?? measured
  return {
    scheme,
    runtime,
    bytes,
    p50Ms: source?.p50Ms ?? null,
    // The baseline itself has no ratio of its own; its class says 1.
    p50RatioToFloat32: source?.ratio ?? measured?.ratio ?? null,
    accuracy: host?.accuracy ?? null,
    memoryBytes: source?.memoryBytes ?? null,
    measuredBy: own ? ('itself' as const) : measured ? ('its class' as const) : null,
  }
}

export const OUTCOME_HEAD = [
  'DEVICE',
  'CLASS',
  'SCHEME',
  'SIZE',
  'P50',
  'OF FLOAT32 THERE',
  'ACCURACY',
  'FLOAT32',
] as const

export function outcomeRow(outcome: DeviceOutcome): string[] {
  const { bytes, p50Ms, p50RatioToFloat32, accuracy, accuracyFloat32 } = outcome
  const or = <T>(value: T | null, print: (value: T) => string) =>
    value === null ? '—' : print(value)
  return [
    outcome.device,
    `${outcome.class}${outcome.emulated ? ' *' : ''}`,
    outcome.scheme === null ? 'nothing' : `${outcome.scheme} (${outcome.runtime})`,
    or(bytes, formatBytes),
    or(p50Ms, formatMs),
    p50RatioToFloat32 === null && p50Ms !== null
      ? 'float32 does not fit'
      : or(p50RatioToFloat32, formatRatio),
    or(accuracy, (share) => formatPercent(share, 2)),
    or(accuracyFloat32, (share) => formatPercent(share, 2)),
  ]
}
