import { type Dataset, samplesFor, takeSamples } from '../../../shared/dataset/index.ts'
import {
  budgetOf,
  inTurn,
  type LatencyBudget,
  measureBeside,
  type Run,
} from '../../../shared/measure/index.ts'
import { loadInProcess } from '../../../shared/runtime/index.ts'
import { hasSuffix, type Scheme } from '../../../shared/schemes.ts'
import { ARRAY_OF, type Tensor } from '../../../shared/tensors.ts'
import type {
  GraphOperator,
  OperatorId,
  OperatorTimes,
  QuantizableModel,
} from '../../graph/index.ts'
import { linksOf, NO_CHANGE, type Plan } from '../../graph/index.ts'
import { type TargetName, targetOf } from '../../targets/index.ts'
import { codeFormsOf, plainScheme } from '../code-forms.ts'
import { openModel } from '../open.ts'
import { quantize } from '../quantize.ts'
import type { QuantizeRequest } from '../request.ts'
import type { QuantizeResult } from '../result.ts'
import { samplesOrZeros } from '../verify.ts'
import { costsFrom } from './costs.ts'
import { type Decision, decide, type MeasuredForm } from './decide.ts'
import { type Mixable, proposals } from './propose.ts'

/** What was measured on this machine to find the fastest form, and what came of it. */
export interface MixedPrecisionReport {
  readonly forms: readonly MeasuredForm[]
  readonly decision: Decision
}

export interface Mixed {
  /** Null where nothing beats float32. */
  readonly result: QuantizeResult | null
  readonly report: MixedPrecisionReport
}

/** Times of trial files do not depend on their numbers. */
const TRIAL_SAMPLES = 8
const ROTATED = 8
/** In turns: a busy moment of the machine must not pass for a slow kernel. */
const PROFILES = 4
const PROFILE_MS = 80
const MEASURE_MS = 1_000

/** The time of a quantized file over its source's, measured in turns on one thread of this machine. */
export async function ratioToFloat(
  target: TargetName,
  float: Uint8Array,
  bytes: Uint8Array,
  data: Dataset,
  budget: LatencyBudget = budgetOf(MEASURE_MS),
): Promise<number> {
  const runtime = await loadInProcess(targetOf(target).runsHereIn)
  const sessions = [
    await runtime.load(bytes, { threads: 1 }),
    await runtime.load(float, { threads: 1 }),
  ] as const
  try {
    const [ours, theirs] = sessions.map((session) => {
      const samples = samplesOrZeros(session.inputs, data)
      const inputs = Array.from({ length: Math.min(ROTATED, samples.count) }, (_, i) =>
        samples.at(i),
      )
      return inTurn(session, inputs)
    }) as [Run, Run]
    return (await measureBeside(ours, theirs, budget)).ratio.p50
  } finally {
    for (const session of sessions) await session.close()
  }
}

/**
 * The fastest form of a static scheme on this machine: profiles the float and the integer file, computes which operators
 * cost more on integers than in float with all borders counted, builds and measures those mixed forms, and keeps what wins.
 * @throws QuantizerError, RuntimeError
 */
export async function searchMixed(
  request: QuantizeRequest & { readonly calibration: Dataset },
  integer: QuantizeResult,
  measureMs: number = MEASURE_MS,
): Promise<Mixed> {
  const { target, model, calibration, onProgress } = request
  const opened = await openModel(request)
  const sets = await floatSets(opened, integer, calibration)
  const budget = budgetOf(measureMs)
  const measure = (bytes: Uint8Array) => ratioToFloat(target, model, bytes, calibration, budget)
  const forms: [MeasuredForm, ...MeasuredForm[]] = [
    { inFloat: [], ratio: await measure(integer.bytes) },
  ]
  for (const [at, float] of sets.entries()) {
    onProgress?.(at, sets.length, 'measuring mixed forms')
    const trial = await quantize(trialOf(request, float))
    const names = [...float].flatMap((id) => opened.graph.operators[id]?.name ?? [])
    forms.push({ inFloat: names, ratio: await measure(trial.bytes) })
  }
  const decision = decide(forms)
  const report = { forms, decision }
  if (decision.ship === null) return { result: null, report }
  const float = sets[decision.ship - 1]
  const result = float === undefined ? integer : await quantize(withFloat(request, float))
  return { result, report }
}

async function floatSets(
  model: QuantizableModel,
  integer: QuantizeResult,
  calibration: Dataset,
): Promise<ReadonlySet<OperatorId>[]> {
  const { times } = model
  if (times === undefined) return []
  const sample = samplesFor(calibration, model.entries[0]?.inputs ?? []).at(0)
  const forms = {
    float: { bytes: model.perform(NO_CHANGE), sample },
    integer: { bytes: integer.bytes, sample: codesFor(sample, integer.scheme) },
  }
  const profiles: { float: OperatorTimes[]; integer: OperatorTimes[] } = { float: [], integer: [] }
  for (let round = 0; round < PROFILES; round += 1) {
    for (const form of ['float', 'integer'] as const) {
      profiles[form].push(await times(forms[form].bytes, forms[form].sample, PROFILE_MS))
    }
  }
  const mixable = mixableBy(model, integer)
  const measured = proposals(mixable, costsFrom(profiles.float, profiles.integer))
  const target = targetOf(integer.target)
  const { activations } = codeFormsOf(plainScheme(integer.scheme), {}, target)
  const costs = target.knownCosts?.(model.graph, activations)
  const known = costs === undefined ? [] : proposals(mixable, costs).slice(0, 1)
  const sets = [...measured, ...known].map(({ float }) => float)
  return [...new Map(sets.map((float) => [[...float].sort().join(), float])).values()]
}

type Sample = Readonly<Record<string, Tensor>>

/** What integer edges take in the place of real numbers: any codes will do. */
function codesFor(sample: Sample, scheme: Scheme): Sample {
  const type = hasSuffix(scheme, 'io8') ? 'int8' : hasSuffix(scheme, 'iou8') ? 'uint8' : 'float32'
  if (type === 'float32') return sample
  const coded = ([name, tensor]: [string, Tensor]): [string, Tensor] => [
    name,
    tensor.type === 'float32'
      ? { ...tensor, type, data: new ARRAY_OF[type](tensor.data.length) }
      : tensor,
  ]
  return Object.fromEntries(Object.entries(sample).map(coded))
}

function mixableBy({ graph }: QuantizableModel, { target, plan }: QuantizeResult): Mixable {
  return { graph, links: linksOf(graph), facts: targetOf(target).kernels, integer: computing(plan) }
}

function computing({ instructions }: Plan): ReadonlySet<OperatorId> {
  return new Set(instructions.flatMap((one) => (one.verb === 'compute' ? one.operator : [])))
}

function withFloat(request: QuantizeRequest, float: ReadonlySet<OperatorId>): QuantizeRequest {
  const because = 'it is faster there on this machine, borders counted'
  const selector = { where: ({ id }: GraphOperator) => float.has(id), because }
  const keepFloat = [...(request.options?.keepFloat ?? []), selector]
  return { ...request, options: { ...request.options, keepFloat } }
}

function trialOf(
  request: QuantizeRequest & { readonly calibration: Dataset },
  float: ReadonlySet<OperatorId>,
): QuantizeRequest {
  const { onProgress: _, ...quiet } = request
  const { budget: __, ...options } = { ...request.options, recovery: [] }
  const calibration = takeSamples(request.calibration, TRIAL_SAMPLES)
  return withFloat({ ...quiet, options, calibration }, float)
}
