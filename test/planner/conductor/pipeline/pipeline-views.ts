import type { CandidateView } from '../../../../planner/conductor/building/candidate-view.ts'
import type { PipelineView } from '../../../../planner/conductor/pipeline/pipeline-plan.ts'
import type { Prober } from '../../../../planner/probing/index.ts'
import type { Evaluation, Probe, Variant } from '../../../../planner/storage/index.ts'
import type { QualityRecord } from '../../../../shared/measure/index.ts'
import { USUAL_RULES } from '../../probing/usual-rules.ts'
import { record } from '../scripted-fleet.ts'

export const now = new Date('2026-11-23T12:00:00.000Z')
export const before = '2026-11-23T11:59:00.000Z'
export const after = '2026-11-23T12:01:00.000Z'

function quality(lost: number, samples = 1000): QualityRecord {
  return {
    samples,
    accuracy: 0.9 - lost / samples,
    accuracyCi95: null,
    referenceAccuracy: 0.9,
    agreement: 1 - lost / samples,
    agreementCi95: null,
    sqnrDb: 30,
    maxAbsError: 0,
    meanAbsError: 0,
    outputs: [],
    notFinite: 0,
    mcnemar: { onlyThisRight: 0, onlyReferenceRight: lost, pValue: 1 },
    notes: [],
  }
}

interface CandidateRow {
  scheme: string
  state?: Variant['state']
  kept?: boolean
  bytes?: number
  /** Answers of 1000 lost on the host; null: not evaluated yet. */
  lost?: number | null
  notFinite?: number
}

export function candidate({
  scheme,
  state = 'built',
  kept = true,
  bytes = 1000,
  lost = 0,
  notFinite = 0,
}: CandidateRow): CandidateView {
  const variant: Variant = {
    key: scheme,
    source: 's',
    scheme,
    runtime: 'litert',
    tuning: null,
    state,
    digest: state === 'built' ? 'd' : null,
    bytes: state === 'built' ? bytes : null,
    findings: [],
    losses: [],
    error: null,
    buildMs: null,
  }
  const evaluation: Evaluation | undefined =
    lost === null || state !== 'built'
      ? undefined
      : {
          variant: scheme,
          whole: { ...quality(lost), notFinite },
          slice: quality(0),
          selfTest: 'g',
        }
  return {
    plan: { scheme, runtime: 'litert', variant: kept ? scheme : null, kept, reason: '' },
    variant: kept ? variant : undefined,
    evaluation,
  }
}

export const device = (id: string, over: Partial<Prober> = {}): Prober => ({
  device: id,
  online: true,
  busy: 0,
  storageBytes: null,
  memoryBytes: null,
  traits: { cores: 4, memoryBytes: 1e9, maxMhz: null },
  ...over,
})

export const probe = (
  device: string,
  variant: string,
  state: Probe['state'],
  over: Partial<Probe> = {},
): Probe => ({
  id: `${device}-${variant}-${state}`,
  model: 'm',
  class: 'c',
  round: 1,
  variant,
  rival: variant === 'float32' ? null : 'float32',
  device,
  match: null,
  state,
  record: state === 'measured' ? record(5, variant === 'float32' ? null : 0.5) : null,
  error: state === 'failed' ? { code: 'crashed', message: 'it crashed' } : null,
  orderedAt: before,
  deadline: after,
  finishedAt: null,
  ...over,
})

export const base: PipelineView = {
  pipeline: {
    model: 'm',
    class: 'c',
    stage: 'probing',
    waiting: '',
    stuck: false,
    round: 1,
    updatedAt: before,
  },
  candidates: [candidate({ scheme: 'float32' }), candidate({ scheme: 'static-w8a8' })],
  rules: USUAL_RULES,
  acceptNoise: false,
  probes: [],
  devices: [device('a')],
  measuring: new Set(),
  probesAtOnce: Number.POSITIVE_INFINITY,
  dataBytes: 0,
  hasSelection: false,
  settlingIn: false,
  now,
}
