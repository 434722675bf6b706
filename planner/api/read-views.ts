import {
  audit,
  certificates,
  type Db,
  type Device,
  devices as deviceRows,
  doublesSince,
  type Model,
  type Probe,
  pipelines,
  probes as probeRows,
  type Variant,
  variants,
} from '../storage/index.ts'
import { targetOf } from '../targets/index.ts'
import type { AuditView, DeviceView, ModelView, ProbeView } from './views.ts'

const DOUBLES_SHOWN_MS = 24 * 3_600_000

export async function deviceView(db: Db, device: Device, now: Date): Promise<DeviceView> {
  const { report } = device
  const installed = await Promise.all(
    device.slots.map(async (slot) => ({
      ...slot,
      scheme: (await variants.variantByDigest(db, slot.variant))?.scheme ?? null,
    })),
  )
  return {
    id: device.id,
    online: device.online,
    revoked: await certificates.isRevoked(db, device.id),
    class: device.class,
    board: report.board.model ?? report.cpu.model,
    emulated: report.emulated,
    runtimes: device.runtimes,
    storageRoom: device.storageRoom,
    memoryRoom: device.memoryRoom,
    lastSeen: device.lastSeen,
    installed,
    garbage: device.garbage,
    garbageNote: device.garbageNote,
    doubleSeen:
      (await doublesSince(db, new Date(now.getTime() - DOUBLES_SHOWN_MS))).get(device.id)?.lastAt ??
      null,
  }
}

export async function deviceViews(db: Db, now: Date): Promise<DeviceView[]> {
  const all = await deviceRows.listDevices(db)
  return Promise.all(all.map((device) => deviceView(db, device, now)))
}

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

export async function probeViews(db: Db, model: Model): Promise<ProbeView[]> {
  const probes = await probeRows.probesOf(db, model.id)
  return Promise.all(
    probes.map(async (probe) => {
      const variant = await variants.findVariant(db, probe.variant)
      const rival = probe.rival === null ? undefined : await variants.findVariant(db, probe.rival)
      const { record } = probe
      return {
        id: probe.id,
        model: model.name,
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

export async function auditViews(
  db: Db,
  query: { readonly limit: number; readonly subject?: string },
): Promise<AuditView[]> {
  const entries = await audit.readAudit(db, query)
  return entries.map((entry) => ({ ...entry, detail: { ...entry.detail } }))
}
