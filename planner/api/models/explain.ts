import type { z } from 'zod'
import {
  type ClassEvidence,
  classEvidence,
  describeParts,
  noticedIn,
} from '../../conductor/index.ts'
import { fits, forecastOf, judgeRecheck, type Prior, printPolicy } from '../../probing/index.ts'
import { comparisons } from '../../selection/index.ts'
import {
  acceptsNoise,
  type Db,
  type Device,
  type Probe,
  pipelines,
  probePolicyOf,
  rechecks,
  type StoredSelection,
  selections,
} from '../../storage/index.ts'
import { type Call, deviceNamed, modelNamed } from '../call/call.ts'
import type { OperationInput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { Explanation, explanationSchema } from '../contract/explanation.ts'

type CandidateExplained = z.infer<typeof explanationSchema>['candidates'][number]
type Measurement = CandidateExplained['measurements'][number]
type Candidate = ClassEvidence['candidates'][number]

/** Why this variant on this device and not another: from the rows that the choice was made from. */
export async function explain(
  { model: name, device: id }: OperationInput<'plan.explain'>,
  { context }: Call,
): Promise<Explanation> {
  const { db } = context
  const model = await modelNamed(context, name)
  const device = await deviceNamed(context, id)
  const pipeline = (await pipelines.pipelinesOf(db, model.id)).find(
    (one) => one.class === device.class,
  )
  if (!pipeline) {
    const advice = `class ${device.class} of device ${id}: fitment plan ${name}`
    throw new ApiError('nothing-to-do', `${name} was not planned yet for ${advice}`)
  }
  const evidence = await classEvidence(context, model, pipeline)
  const stored = await selections.currentSelection(db, model.id, pipeline.class)
  const chosen = stored?.round === pipeline.round ? stored : undefined
  return {
    model: name,
    revision: model.revision,
    device: id,
    class: pipeline.class,
    round: pipeline.round,
    stage: pipeline.stage,
    waiting: chosen ? '' : pipeline.waiting,
    chosenAt: chosen?.createdAt ?? null,
    chosen: namedIn(evidence, chosen?.selection.winner),
    instead: insteadFor(device, evidence, chosen),
    why: chosen?.selection.why ?? pipeline.waiting,
    acceptsNoise: await acceptsNoise(db, model.id),
    probing: printPolicy(await probePolicyOf(db, model.id)),
    costModel:
      evidence.prior.costs.groups === 0
        ? null
        : { plans: evidence.prior.costs.groups, error: evidence.prior.costs.error },
    parts: await partsOf(db, pipeline),
    notBelieved: [...evidence.notBelieved].map(([device, why]) => ({ device, why })),
    recheck: await recheckOf(device, name, evidence, chosen, db),
    candidates: evidence.candidates.map((one) => candidateExplained(one, evidence, chosen)),
  }
}

function namedIn({ candidates }: ClassEvidence, key: string | null | undefined) {
  const plan = candidates.find(({ variant }) => key && variant?.key === key)?.plan
  return plan ? { scheme: plan.scheme, runtime: plan.runtime } : null
}

/** A device too small for the chosen one takes the next that fits it. */
function insteadFor(
  device: Device,
  evidence: ClassEvidence,
  chosen: StoredSelection | undefined,
): Explanation['instead'] {
  const { winner, ranking = [] } = chosen?.selection ?? {}
  const room = { storageBytes: device.storageRoom, memoryBytes: device.memoryRoom }
  const bytesOf = (key: string) => evidence.entrants.find((one) => one.key === key)?.bytes ?? 0
  if (!winner || fits(room, bytesOf(winner))) return null
  const next = ranking.find((key) => fits(room, bytesOf(key)))
  const named = namedIn(evidence, next)
  const why = `${bytesOf(winner)} bytes do not fit the device`
  return named && { ...named, why }
}

/** The device's own measurement beside the figures that the choice was made by. */
async function recheckOf(
  { id }: Device,
  model: string,
  { candidates, probes }: ClassEvidence,
  chosen: StoredSelection | undefined,
  db: Db,
): Promise<Explanation['recheck']> {
  const found = await rechecks.findRecheck(db, id, model)
  const named = candidates.find(({ variant }) => found && variant?.key === found.variant)?.plan
  if (!found || !named) return null
  const { scheme, runtime } = named
  const of = { scheme, runtime, state: found.state, at: null, verdict: null, change: null }
  const probe = probes.find((one) => one.id === found.probe)
  if (found.state !== 'done' || !probe)
    return { ...of, text: found.state === 'asked' ? 'measures it now' : 'is to measure it' }
  const at = probe.finishedAt
  const row = chosen?.measured.find(({ key }) => key === found.variant)
  if (!probe.record) {
    const why = probe.error ? `${probe.error.code}: ${probe.error.message}` : 'no answer'
    return { ...of, at, verdict: 'failed', text: `could not measure it: ${why}` }
  }
  if (!row) return { ...of, at, text: 'measured it; what it was chosen for is not known any more' }
  const { verdict, change, text } = judgeRecheck(
    row,
    probe.record,
    await acceptsNoise(db, found.model),
  )
  const ratio = change && { p50: change.p50, ci95: [...change.ci95] as [number, number] }
  return { ...of, at, verdict, change: ratio, text }
}

function candidateExplained(
  { plan, variant, evaluation }: Candidate,
  evidence: ClassEvidence,
  chosen: StoredSelection | undefined,
): CandidateExplained {
  const key = variant?.key
  const row = evidence.measured.find((one) => one.key === key)
  const judged = chosen?.selection.rows.find((one) => one.key === key)
  const whole = evaluation?.whole
  return {
    scheme: plan.scheme,
    runtime: plan.runtime,
    verdict: plan.kept ? (judged?.verdict ?? 'pending') : 'dropped',
    reason: judged?.reason ?? variant?.error ?? plan.reason,
    bytes: variant?.bytes ?? null,
    p50Ms: row?.latency.p50Ms ?? null,
    besideFloat32: row?.latency.ratio ?? null,
    besideChosen: besideChosen(key, evidence, chosen?.selection.winner),
    host: whole
      ? {
          samples: whole.samples,
          accuracy: whole.accuracy,
          onlyThisRight: whole.mcnemar?.onlyThisRight ?? null,
          onlyFloat32Right: whole.mcnemar?.onlyReferenceRight ?? null,
          pValue: whole.mcnemar?.pValue ?? null,
        }
      : null,
    drop: row?.quality.drop ?? null,
    expected: expectedBeside(key, chosen?.selection.winner, evidence.prior),
    notes: row?.notes ?? [],
    measurements: evidence.probes
      .filter((probe) => probe.variant === key)
      .map((probe) => measurementOf(probe, evidence)),
  }
}

/** JSON knows no infinity: what is not bounded says so, and repeats its middle. */
function expectedBeside(
  key: string | undefined,
  winner: string | null | undefined,
  prior: Prior,
): CandidateExplained['expected'] {
  if (!key || !winner || key === winner) return null
  const found = forecastOf(prior, key, winner)
  if (!found) return null
  const { ratio, low, high } = found
  const bounded = Number.isFinite(high)
  return { p50: ratio, ci95: bounded ? [low, high] : [ratio, ratio], bounded }
}

async function partsOf(db: Db, of: { readonly model: string; readonly class: string }) {
  const noticed = await noticedIn(db, of)
  return noticed ? describeParts(noticed) : ''
}

function besideChosen(
  key: string | undefined,
  { measured, duels, probers }: ClassEvidence,
  winner: string | null | undefined,
): CandidateExplained['besideChosen'] {
  const [own, chosen] = [key, winner].map((one) => measured.find((row) => row.key === one))
  if (!own || !chosen || own === chosen) return null
  const { p50, ci95, basis, devices } = comparisons(duels, probers)(own, chosen)
  return { p50, ci95: [...ci95], basis, devices, shown: ci95[0] > 1 || ci95[1] < 1 }
}

/** What was measured otherwise than in a hot loop with the usual threads. */
function modesOf(
  record: Probe['record'],
): Pick<Measurement, 'pace' | 'tried' | 'cores' | 'soak' | 'energy' | 'withoutMeter'> {
  const { latency, tried = [], cores, soak, energy } = record ?? {}
  return {
    pace: latency?.pace ?? null,
    tried: tried.map((one) => ({ ...one, cores: one.cores && [...one.cores] })),
    cores: cores ? [...cores] : null,
    soak: soak ?? null,
    energy: energy ?? null,
    withoutMeter: energy === null,
  }
}

function measurementOf(probe: Probe, evidence: ClassEvidence): Measurement {
  const { device, rival, orderedAt, finishedAt, state, record, error } = probe
  const isOk =
    (probe.match === null && record?.verdict === 'ok') ||
    evidence.accepted.includes(record?.verdict ?? '')
  return {
    device,
    rival: namedIn(evidence, rival),
    orderedAt,
    finishedAt,
    state,
    p50Ms: record?.latency.p50Ms ?? null,
    ci95: record?.latency.p50Ci95 ?? null,
    runs: record?.latency.n ?? null,
    ratio: record?.ratioToBaseline
      ? { p50: record.ratioToBaseline.p50, ci95: record.ratioToBaseline.ci95 }
      : null,
    samples: record?.quality.samples ?? null,
    verdict: record?.verdict ?? null,
    flags: record?.flags ?? [],
    engine: record?.engine ?? null,
    ...modesOf(record),
    error: error && `${error.code}: ${error.message}`,
    counts: isOk && !evidence.notBelieved.has(device),
  }
}
