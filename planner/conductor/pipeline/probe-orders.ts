import { newId } from '../../../shared/ids.ts'
import type { ProbeOrder } from '../../../shared/messages/index.ts'
import { type Profile, profileOf } from '../../classes/index.ts'
import { fits, type MatchOrder, type ProbePolicy, settingOf } from '../../probing/index.ts'
import {
  type Db,
  type Device,
  devices as deviceRows,
  type Model,
  orders,
  type Pipeline,
  type Probe,
  probePolicyOf,
  probes,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { targetOf } from '../../targets/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { threadsFor } from '../devices/class-facts.ts'
import { proberOf } from '../devices/probers.ts'
import { engineOffering } from '../devices/targets-offered.ts'

/** A heat only tells who may win: it takes this share of the time that a duel takes. */
const HEAT_SHARE = 1 / 3
/** More threads than this no order names. */
const MOST_THREADS = 64
/** Runs at the application's rate that a measurement may take, with those that settle. */
const PACED_RUNS = 50
/** No order allows more. */
const MOST_TIMEOUT_MS = 600_000
/** Shorter than this no measurement is. */
const LEAST_MEASURE_MS = 100

/**
 * Asks a device to measure a variant, in turns with its rival where that fits too.
 * @param also written down with it, in the same commit
 */
export async function orderProbe(
  context: ConductorContext,
  model: Model,
  pipeline: Pick<Pipeline, 'class' | 'round'>,
  { match, variant: key, rival: rivalKey, device: deviceId, quietMs, decides }: MatchOrder,
  also: (trx: Db, probe: string) => Promise<void> = async () => {},
): Promise<void> {
  const { artifacts, db, settings } = context
  const device = await deviceRows.findDevice(db, deviceId)
  const variant = await variants.findVariant(db, key)
  if (!device || !variant?.digest) return
  const profile = profileOf(context.profiles, pipeline.class)
  const engine = engineOffering(device.runtimes, variant.runtime, profile)
  const artifact = await artifacts.refOf(variant.digest)
  const data = await artifacts.refOf(model.reference.slice)
  const rival = await rivalOn(context, rivalKey, { device, profile })
  const others = artifact.bytes + data.bytes
  const beside = rival && fits(proberOf(device, 0), rival.artifact.bytes, others) ? rival : null
  const policy = await probePolicyOf(db, model.id)
  const measured = await probes.probesOf(db, model.id, pipeline)
  const setting = (of: string) => settingOf(measured, of, deviceId)
  const threads = settingFor(policy, setting(key), {
    ...{ usual: threadsFor(device, profile), cores: device.report.cpu.cores },
    mayTry: match === 'heat',
  })
  const theirs = rivalKey === null ? undefined : setting(rivalKey)?.threads
  const baseline = beside && { ...beside, ...(theirs !== undefined && { threads: theirs }) }
  const order: ProbeOrder = {
    v: 1,
    id: newId(),
    kind: 'probe',
    model: model.name,
    variant: variant.digest,
    artifact,
    runtime: targetOf(variant.runtime).runtime,
    ...(engine?.accelerator != null && { accelerator: engine.accelerator }),
    scheme: variant.scheme,
    data,
    baseline,
    ...threads,
    measureMs: measureMsOf(match, settings.measureMs),
    timeoutMs: timeoutOf(match, policy, settings.probeTimeoutMs),
    ...(quietMs > 0 && { quietMs }),
    // What it answers there is known, and does not depend on what it is measured beside.
    ...(measured.some((one) => isAnswered(one, key, deviceId)) && { answersMs: 0 }),
    ...(decides && baseline && { decides: [...decides] }),
    ...(policy.rateHz !== null && { rateHz: policy.rateHz }),
    ...(policy.energy && match === 'heat' && { energy: true }),
    ...(match === 'soak' && policy.soakMs !== null && { soakMs: policy.soakMs }),
  }
  const files = [artifact, data, ...(baseline ? [baseline.artifact] : [])]
  const now = context.now()
  await commit(context, 'probe.ordered', async (trx) => {
    const digests = files.flatMap(({ digest, blockList }) => [digest, blockList])
    await orders.addOrder(trx, deviceId, order, digests, now, null)
    await probes.addProbe(trx, {
      id: order.id,
      model: model.id,
      class: pipeline.class,
      round: pipeline.round,
      variant: variant.key,
      rival: rivalKey,
      device: deviceId,
      match: match === 'soak' ? match : null,
      orderedAt: now.toISOString(),
      deadline: new Date(now.getTime() + settings.answerMs).toISOString(),
    })
    await also(trx, order.id)
  })
  context.nudge(deviceId)
}

/** The device has the order: from here on it may take its downloads and the probe itself. */
export async function extendDeadline(context: ConductorContext, order: ProbeOrder): Promise<void> {
  const { settings, now } = context
  const bytes = order.artifact.bytes + order.data.bytes + (order.baseline?.artifact.bytes ?? 0)
  const ms =
    order.timeoutMs +
    (order.quietMs ?? 0) +
    settings.answerMs +
    (1000 * bytes) / settings.slowestLink
  await probes.setProbeDeadline(context.db, order.id, new Date(now().getTime() + ms))
}

/** Nothing was heard in time: the device need not go on, and the measurement is asked for elsewhere or again. */
export async function giveUpProbe(context: ConductorContext, probe: Probe): Promise<void> {
  const error = { code: 'no-answer', message: `no answer by ${probe.deadline}` }
  const cancel = { v: 1, id: newId(), kind: 'cancel', order: probe.id } as const
  await commit(context, 'probe.given-up', async (trx) => {
    await probes.finishProbe(trx, probe.id, { state: 'lost', error }, context.now())
    const order = await orders.findOrder(trx, probe.id)
    await orders.closeOrder(trx, probe.id)
    if (order?.state === 'acked') {
      await orders.addOrder(trx, probe.device, cancel, [], context.now(), null)
    }
  })
  context.nudge(probe.device)
}

function isAnswered({ variant, device, record }: Probe, key: string, on: string): boolean {
  return variant === key && device === on && record !== null && record.quality.samples > 1
}

interface Usual {
  /** Threads by the profile, and the processors there are. */
  readonly usual: number
  readonly cores: number
  readonly mayTry: boolean
}

/** With how many threads, and on which cores: as the operator said, as was found out, or to be found out. */
function settingFor(
  { threads }: ProbePolicy,
  found: ReturnType<typeof settingOf>,
  { usual, cores, mayTry }: Usual,
): Pick<ProbeOrder, 'threads' | 'cores' | 'tryThreads'> {
  if (threads === null) return { threads: usual }
  if (threads !== 'auto') return { threads: Math.min(threads, cores) }
  if (found) return { threads: found.threads, ...(found.cores && { cores: [...found.cores] }) }
  if (mayTry) return { threads: Math.min(MOST_THREADS, cores), tryThreads: true }
  return { threads: usual }
}

/** What is asked for beside latency takes its own time. */
function timeoutOf(match: MatchOrder['match'], policy: ProbePolicy, usualMs: number): number {
  const soakMs = match === 'soak' ? (policy.soakMs ?? 0) : 0
  const slowMs = policy.rateHz === null ? 0 : PACED_RUNS * (1000 / policy.rateHz)
  return Math.min(MOST_TIMEOUT_MS, usualMs + soakMs + Math.ceil(slowMs))
}

function measureMsOf(match: MatchOrder['match'], duelMs: number): number {
  return match === 'duel' ? duelMs : Math.max(LEAST_MEASURE_MS, Math.round(HEAT_SHARE * duelMs))
}

/** What the variant is measured in turns with, as the device runs it; null where it has none, or does not offer its target. */
async function rivalOn(
  context: ConductorContext,
  key: string | null,
  { device, profile }: { readonly device: Device; readonly profile: Profile | undefined },
): Promise<ProbeOrder['baseline']> {
  const rival: Variant | undefined =
    key === null ? undefined : await variants.findVariant(context.db, key)
  if (rival?.state !== 'built' || !rival.digest) return null
  const engine = engineOffering(device.runtimes, rival.runtime, profile)
  if (engine === undefined) return null
  return {
    artifact: await context.artifacts.refOf(rival.digest),
    runtime: engine.runtime,
    ...(engine.accelerator !== null && { accelerator: engine.accelerator }),
  }
}
