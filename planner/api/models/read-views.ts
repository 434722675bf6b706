import {
  type Db,
  type Model,
  type Probe,
  pipelines,
  probes as probeRows,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { targetOf } from '../../targets/index.ts'
import type { ModelView, ProbeView } from '../contract/views.ts'

export async function modelView(db: Db, model: Model): Promise<ModelView> {
  const classes = await pipelines.pipelinesOf(db, model.id)
  return {
    name: model.name,
    revision: model.revision,
    source: model.source,
    bytes: model.facts.bytes,
    objective: model.objective,
    constraints: model.constraints,
    calibrationSamples: model.calibrationSamples,
    testSamples: model.testSamples,
    labelled: model.labelled,
    accuracy: model.reference.wholeQuality.accuracy,
    ...(model.reference.wholeQuality.metric && { metric: model.reference.wholeQuality.metric }),
    intent: model.intent,
    registeredAt: model.registeredAt,
    findings: [...model.findings],
    classes: classes.map(({ class: id, stage, waiting }) => ({ class: id, stage, waiting })),
  }
}

/** A measurement, and the name of the model it is of. */
export interface NamedProbe {
  readonly model: string
  readonly revision: number
  readonly probe: Probe
}

export async function probesOf(
  db: Db,
  model: Model,
  device: string | undefined,
): Promise<readonly NamedProbe[]> {
  const probes = await probeRows.probesOf(db, model.id)
  return probes
    .filter((probe) => device === undefined || probe.device === device)
    .map((probe) => ({ model: model.name, revision: model.revision, probe }))
}

export async function probeViews(db: Db, probes: readonly NamedProbe[]): Promise<ProbeView[]> {
  return Promise.all(
    probes.map(async ({ model, revision, probe }) => {
      const variant = await variants.findVariant(db, probe.variant)
      const rival = probe.rival === null ? undefined : await variants.findVariant(db, probe.rival)
      const { record } = probe
      return {
        id: probe.id,
        model,
        revision,
        class: probe.class,
        round: probe.round,
        device: probe.device,
        scheme: variant?.scheme ?? 'unknown',
        runtime: variant?.runtime ?? 'unknown',
        state: probe.state,
        orderedAt: probe.orderedAt,
        finishedAt: probe.finishedAt,
        p50Ms: record?.latency.p50Ms ?? null,
        ...ratiosOf(record, variant, rival),
        memoryBytes: record?.memory?.overBaseBytes ?? record?.peakMemoryBytes ?? null,
        accuracy: record?.quality.accuracy ?? null,
        agreement: record?.quality.agreement ?? null,
        verdict: record?.verdict ?? null,
        engine: record?.engine ?? null,
        flags: record?.flags ?? [],
        error: probe.error && `${probe.error.code}: ${probe.error.message}`,
      }
    }),
  )
}

/** Beside float32 people see what quantization gains; beside a rival, who is faster. */
function ratiosOf(
  record: Probe['record'],
  variant: Variant | undefined,
  rival: Variant | undefined,
): Pick<ProbeView, 'ratio' | 'beside'> {
  const ratio = record?.ratioToBaseline?.p50 ?? null
  if (ratio === null || rival === undefined) return { ratio, beside: null }
  const own = variant && [variant.runtime, targetOf(variant.runtime).runtime]
  if (rival.scheme === 'float32' && own?.includes(rival.runtime)) return { ratio, beside: null }
  return { ratio: null, beside: { scheme: rival.scheme, runtime: rival.runtime, ratio } }
}
