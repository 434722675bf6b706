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
import { measureMsOf } from './measure-time.ts'
import { type NamedOther, othersOn } from './other-probes.ts'

/** More threads than this no order names. */
const MOST_THREADS = 64
/** More than ever try settings of one variant at the same time. */
const TRYING = 64
/** Runs at the application's rate that a measurement may take, with those that settle. */
const PACED_RUNS = 50
/** No order allows more. */
const MOST_TIMEOUT_MS = 600_000

/** An order that is made and not yet written down. */
export interface NewProbe {
  /** Of the order, and of the probe of what it names first. */
  readonly id: string
  readonly device: string
  write(trx: Db): Promise<void>
}

/** Asks a device to measure a variant, in turns with its rival where that fits too. */
export async function orderProbe(
  context: ConductorContext,
  model: Model,
  pipeline: Pick<Pipeline, 'class' | 'round'>,
  match: MatchOrder,
): Promise<void> {
  const probe = await newProbe(context, model, pipeline, match)
  if (probe === undefined) return
  await commit(context, 'probe.ordered', (trx) => probe.write(trx))
  context.nudge(probe.device)
}

/** Undefined where the device or the file is gone. */
export async function newProbe(
  context: ConductorContext,
  model: Model,
  pipeline: Pick<Pipeline, 'class' | 'round'>,
  match: MatchOrder,
): Promise<NewProbe | undefined> {
  const made = await orderOf(context, model, pipeline, match)
  if (made === undefined) return undefined
  const { order, others } = made
  const { variant, rival, device } = match
  const { artifact, data, baseline } = order
  const files = [artifact, data, ...others.map(({ other }) => other.artifact)]
  if (baseline) files.push(baseline.artifact)
  const write = async (trx: Db) => {
    const now = context.now()
    const digests = files.flatMap(({ digest, blockList }) => [digest, blockList])
    await orders.addOrder(trx, device, order, digests, now, null)
    const row = {
      model: model.id,
      class: pipeline.class,
      round: pipeline.round,
      device,
      match: match.match === 'soak' ? match.match : null,
      orderedAt: now.toISOString(),
      deadline: new Date(now.getTime() + context.settings.answerMs).toISOString(),
    }
    await probes.addProbe(trx, { ...row, id: order.id, variant, rival })
    for (const { key, rival, other } of others)
      await probes.addProbe(trx, { ...row, id: other.probe, variant: key, rival })
  }
  return { id: order.id, device, write }
}

interface Made {
  readonly order: ProbeOrder
  readonly others: readonly NamedOther[]
}

async function orderOf(
  context: ConductorContext,
  model: Model,
  pipeline: Pick<Pipeline, 'class' | 'round'>,
  { match, variant: key, rival: rivalKey, device: deviceId, ...asked }: MatchOrder,
): Promise<Made | undefined> {
  const { artifacts, db, settings } = context
  const device = await deviceRows.findDevice(db, deviceId)
  const variant = await variants.findVariant(db, key)
  if (!device || !variant?.digest) return undefined
  const profile = profileOf(context.profiles, pipeline.class)
  const engine = engineOffering(device.runtimes, variant.runtime, profile)
  const artifact = await artifacts.refOf(variant.digest)
  const data = await artifacts.refOf(model.reference.slice)
  const rival = await rivalOn(context, rivalKey, { device, profile })
  const besides = artifact.bytes + data.bytes
  const beside = rival && fits(proberOf(device, 0), rival.artifact.bytes, besides) ? rival : null
  const policy = await probePolicyOf(db, model.id)
  const others = asked.others ?? []
  const keys = [key, rivalKey, ...others.flatMap((one) => [one.variant, one.rival])]
  const place = { model: model.id, class: pipeline.class, round: pipeline.round }
  const own = await probes.probesOf(db, model.id, { ...place, device: deviceId })
  const measured = policy.threads === 'auto' ? [...(await firstOf(db, place, keys)), ...own] : own
  const setting = (of: string) => settingOf(measured, of, deviceId)
  const threads = settingFor(policy, setting(key), {
    ...{ usual: threadsFor(device, profile), cores: device.report.cpu.cores },
    mayTry: match === 'heat',
  })
  const theirs = rivalKey === null ? undefined : setting(rivalKey)?.threads
  const baseline = beside && { ...beside, ...(theirs !== undefined && { threads: theirs }) }
  const id = newId()
  // What it answers there is known, and does not depend on what it is measured beside.
  const answersOf = (one: string) =>
    measured.some((probe) => isAnswered(probe, one, deviceId)) ? { answersMs: 0 } : {}
  const named = await othersOn(context, others, {
    ...{ device, profile, answersOf },
    threadsOf: (one) => setting(one)?.threads ?? threads.threads,
    orders: { id, variant: key, rival: beside ? rivalKey : null },
  })
  const isNamed = beside === null || named.some((one) => one.key === rivalKey)
  const sides = 1 + named.length + Number(!isNamed)
  const order: ProbeOrder = {
    v: 1,
    id,
    kind: 'probe',
    model: model.name,
    variant: variant.digest,
    artifact,
    runtime: targetOf(variant.runtime).runtime,
    ...(engine?.accelerator != null && { accelerator: engine.accelerator }),
    scheme: variant.scheme,
    data,
    baseline,
    ...(named.length > 0 && { others: named.map(({ other }) => other) }),
    ...threads,
    measureMs: measureMsOf(match, settings.measureMs, sides),
    timeoutMs: timeoutOf(match, policy, settings.probeTimeoutMs),
    ...(asked.quietMs > 0 && { quietMs: asked.quietMs }),
    ...answersOf(key),
    ...(asked.decides && sides > 1 && { decides: [...asked.decides] }),
    ...besideLatency(policy, match),
  }
  return { order, others: named }
}

/** What was measured first of each variant: settings are tried by the first devices only, and later ones are told. */
async function firstOf(
  db: Db,
  place: Pick<Probe, 'model' | 'class' | 'round'>,
  keys: readonly (string | null)[],
): Promise<readonly Probe[]> {
  const variants = [...new Set(keys)].filter((key) => key !== null)
  const firsts = variants.map((variant) => probes.firstProbesOf(db, { ...place, variant }, TRYING))
  return (await Promise.all(firsts)).flat()
}

function besideLatency(
  { rateHz, energy, soakMs }: ProbePolicy,
  match: MatchOrder['match'],
): Pick<ProbeOrder, 'rateHz' | 'energy' | 'soakMs'> {
  return {
    ...(rateHz !== null && { rateHz }),
    ...(energy && match === 'heat' && { energy: true }),
    ...(match === 'soak' && soakMs !== null && { soakMs }),
  }
}

/** The device has the order: from here on it may take its downloads and the probe itself. */
export async function extendDeadline(context: ConductorContext, order: ProbeOrder): Promise<void> {
  const { settings, now } = context
  const others = order.others ?? []
  const files = [order.artifact, order.data, ...others.map(({ artifact }) => artifact)]
  if (order.baseline) files.push(order.baseline.artifact)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  // All together, each by itself, all together again; then, where that comes to nothing, one by itself.
  const runs = others.length === 0 ? 1 : others.length + 4
  const ms =
    runs * order.timeoutMs +
    (order.quietMs ?? 0) +
    settings.answerMs +
    (1000 * bytes) / settings.slowestLink
  for (const id of [order.id, ...others.map(({ probe }) => probe)])
    await probes.setProbeDeadline(context.db, id, new Date(now().getTime() + ms))
}

/** Nothing was heard in time: the device need not go on, and the measurement is asked for elsewhere or again. */
export async function giveUpProbe(
  context: ConductorContext,
  probe: Pick<Probe, 'id' | 'device' | 'deadline'>,
): Promise<void> {
  const error = { code: 'no-answer', message: `no answer by ${probe.deadline}` }
  const cancel = { v: 1, id: newId(), kind: 'cancel', order: probe.id } as const
  await commit(context, 'probe.given-up', async (trx) => {
    await probes.finishProbe(trx, probe.id, { state: 'lost', error }, context.now())
    const order = await orders.findOrder(trx, probe.id)
    await orders.closeOrder(trx, probe.id)
    if (order?.wasAcked) {
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
