import { samplesFor } from '../../../shared/dataset/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { sizeOf, type Tensor } from '../../../shared/tensors.ts'
import { linksOf, NO_CHANGE } from '../../graph/index.ts'
import type { InferencePool } from '../inference-pool/inference-pool.ts'
import type { Answer, SampleInputs } from '../inference-pool/messages.ts'
import { answeredOutput } from '../levels/answered.ts'
import { levelFindings } from '../levels/findings.ts'
import { judge } from '../levels/judge.ts'
import type { Level } from '../levels/level.ts'
import { heldOut, holdsOut } from '../observers/held-out.ts'
import { isCalibrated } from '../request.ts'
import { finalPlan } from './hold-accuracy.ts'
import type { Judged, Verified } from './state.ts'

/** Samples that are compared, and the numbers of outputs that are kept of them. */
const SAMPLES = 24
const MOST_NUMBERS = 2 ** 23

/**
 * Compares the file's outputs with the float model's, each by itself and slice by slice: what one of them loses does not
 * show in the others.
 */
export async function judgeOutputs(state: Verified): Promise<Judged> {
  const { source, opened, pool } = state
  const { options = {}, calibration } = source
  const samples = calibration ?? options.budget?.test
  if (samples === undefined || state.plan.instructions.length === 0) {
    return { ...state, level: null }
  }
  const { inputs, outputs } = await pool.open(opened.perform(NO_CHANGE))
  const all = samplesFor(samples, inputs)
  const most = Math.floor(MOST_NUMBERS / numbersOf(outputs))
  const chosen = heldOut(all.count, Math.max(2, Math.min(SAMPLES, most))).map((sample) => {
    const named = all.at(sample)
    return inputs.map(({ name }) => named[name] as Tensor)
  })
  const expected = await pool.answer(chosen)
  const found = await answersWithFloatEnds(state, pool, chosen)
  const links = linksOf(opened.graph)
  const level = {
    samples: chosen.length,
    heldOut: holdsOut(all.count),
    outputs: outputs.flatMap((info, at) => {
      if (info.type !== 'float32') return []
      return judge(answeredOutput(info, at, opened, links, expected, found))
    }),
  }
  const findings = levelFindings(level, nextStep(state, level), options.minSqnrDb)
  return { ...state, level, findings: [...state.findings, ...findings] }
}

/** Codes at the edges would have to be told apart from numbers: the same plan with float ends answers alike. */
async function answersWithFloatEnds(
  state: Verified,
  pool: InferencePool,
  samples: readonly SampleInputs[],
): Promise<readonly Answer[]> {
  const { candidate, services, bytes } = state
  const { forms } = candidate.request
  if (forms.edges === 'float32') {
    await pool.open(bytes)
    return await pool.answer(samples)
  }
  const request = { ...candidate.request, measured: true }
  const plan = finalPlan({ ...candidate, request, plan: services.plan(request) }, state)
  await pool.open(candidate.model.perform(plan))
  return await pool.answer(samples)
}

function numbersOf(outputs: readonly TensorInfo[]): number {
  return outputs.reduce((sum, { shape }) => sum + sizeOf(shape.map((dim) => Math.max(1, dim))), 1)
}

/** What helps more often than not, and was not done yet. */
function nextStep({ source, services, candidate }: Verified, level: Level): string {
  const { scheme, options = {} } = source
  if (!isCalibrated(scheme)) return 'try float16, or static-w8a8 with calibration samples'
  const dead = level.outputs.some(({ slices }) => slices.some(({ died }) => died !== null))
  if (!dead && !services.thorough && !options.compression) return 'try --recovery all'
  const { forms, graph } = candidate.request
  const finer = forms.activations === 'int8' ? ['static-w8a16'] : []
  const depthwise = candidate.plan.instructions.some(
    (one) => one.verb === 'compute' && graph.operators[one.operator]?.kind === 'depthwise-conv',
  )
  const kept = depthwise ? ['--keep-float kind:depthwise-conv'] : []
  return `try ${[...finer, ...kept, '--keep-float for the operators that make it', 'float16'].join(', or ')}`
}
