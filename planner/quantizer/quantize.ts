import { availableParallelism } from 'node:os'
import type { Dataset } from '../../shared/dataset/index.ts'
import type { Finding } from '../../shared/findings.ts'
import { type ModelFormat, runtimeFor } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import { sizeOf } from '../../shared/tensors.ts'
import type { CodeForms } from '../graph/code-forms.ts'
import type { GraphOperator } from '../graph/graph.ts'
import { NO_CHANGE, type OperatorTally, type Plan } from '../graph/instructions.ts'
import { linksOf } from '../graph/links.ts'
import type { QuantizableModel } from '../graph/model-format.ts'
import { FACTS } from '../targets/targets.ts'
import { type BudgetReport, budgetFinding, holdBudget } from './accuracy-control/hold.ts'
import { MetricEvaluator } from './accuracy-control/metric-evaluator.ts'
import { calibrate, channelMeans } from './calibrate/calibrate.ts'
import { type Compressed, compress } from './compression/compress.ts'
import { keepClusters } from './compression/keep-clusters.ts'
import {
  type CompressionReport,
  compressionFindings,
  reportCompression,
} from './compression/report.ts'
import { duplicateNames } from './duplicate-names.ts'
import { QuantizerError } from './errors.ts'
import { InferencePool } from './inference-pool/inference-pool.ts'
import { learntRanges, type Measured, measure, rangesFor } from './measure.ts'
import { openModel, refuseIdleSelectors } from './open.ts'
import type { QuantizeOptions } from './options.ts'
import { planScheme } from './plan/plan.ts'
import type { PlanRequest } from './plan/request.ts'
import { saturationFindings, saturationRisks } from './plan/saturation.ts'
import { studyWeights } from './plan/static/study.ts'
import type { Candidate, Services } from './recovery/candidate.ts'
import {
  meansOf,
  RECOVERY_METHODS,
  RECOVERY_NAMES,
  type RecoveryMethod,
  type RecoveryStep,
  recover,
} from './recovery/recover.ts'
import { SqnrEvaluator } from './recovery/sqnr-evaluator.ts'
import { isCalibrated, type QuantizeOrder, type QuantizeRequest } from './request.ts'
import { targetOf } from './target.ts'
import { verify } from './verify.ts'

export interface QuantizeResult {
  readonly bytes: Uint8Array
  readonly format: ModelFormat
  readonly scheme: Scheme
  readonly findings: readonly Finding[]
  readonly plan: Plan
  readonly operators: OperatorTally
  /** What each recovery method gave; empty where none ran. */
  readonly recovery: readonly RecoveryStep[]
  /** Where an accuracy budget was given. */
  readonly budget?: BudgetReport
  /** Where pruning or clustering was asked for. */
  readonly compression?: CompressionReport
}

/**
 * Quantizes a model by a scheme: calibrate, plan, recover, perform, verify. Nothing is written anywhere.
 * @throws QuantizerError, DatasetError, or the format's own error where the bytes are no model.
 */
export async function quantize({ calibration, ...order }: QuantizeOrder): Promise<QuantizeResult> {
  // What is pruned or clustered is opened anew.
  const opening = order.options?.compression === undefined ? openModel(order) : null
  const reading = Promise.resolve(calibration)
  // Both go on while the pool starts, and are told of below: the model first.
  opening?.catch(() => {})
  reading.catch(() => {})
  const pool = new InferencePool(runtimeFor(order.format), await handsFor(order, reading))
  try {
    const opened = await opening
    const samples = await reading
    const request = samples === undefined ? order : { ...order, calibration: samples }
    return await quantizeIn(pool, request, opened)
  } finally {
    await pool.close()
  }
}

/** A second hand takes as long to start as some samples take to run, and as much memory as the first. */
const WORTH_TWO_HANDS = { samples: 64, modelBytes: 2 ** 25 }

/** onnxruntime uses all processors by itself. */
async function handsFor(
  { format, model }: QuantizeOrder,
  reading: Promise<Dataset | undefined>,
): Promise<1 | 2> {
  const able = format === 'tflite' && model.length <= WORTH_TWO_HANDS.modelBytes
  if (!able || availableParallelism() === 1) return 1
  const count = await reading.then(
    (data) => data?.samples ?? 0,
    () => 0,
  )
  return count >= WORTH_TWO_HANDS.samples ? 2 : 1
}

async function quantizeIn(
  pool: InferencePool,
  request: QuantizeRequest,
  asGiven: QuantizableModel | null,
): Promise<QuantizeResult> {
  const { format, scheme, calibration, options = {} } = request
  const target = targetOf(scheme, options, format)
  const compressed = await compressSource(request, target, pool)
  const source = compressed === null ? request : { ...request, model: compressed.bytes }
  const opened = asGiven ?? (await openModel(source))
  refuseMissingCalibration(opened, request)
  refuseIdleSelectors(opened, request)
  const methods = recoveryMethods(options, opened)
  const measured = await measure(opened, pool, source, isCalibrated(scheme), (signal) =>
    studyWeights(opened.graph, target, signal),
  )
  const planRequest = planRequestOf(opened, measured, request, target)
  const { statistics } = measured
  const first = {
    model: opened,
    statistics,
    request: planRequest,
    plan: planScheme(scheme, planRequest),
  }
  const services = servicesFor(pool, source)
  const recovered = await recoverIn(first, source, methods, services)
  const planOf = ({ plan, model }: Candidate) =>
    compressed === null ? plan : keepClusters(plan, model, compressed)
  const safe = options.spareSaturating
    ? inFloatWhereSaturating(recovered.candidate, services)
    : null
  const held = await holdIn(safe ?? recovered.candidate, source, services, planOf)
  const { model } = held.candidate
  const plan = planOf(held.candidate)
  refuseEmpty(plan, scheme, opened.findings)
  const bytes = plan.instructions.length === 0 ? source.model : model.perform(plan)
  refuseUnloadable(model, bytes, options.release)
  const verifying = verify(bytes, model.audit?.(plan) ?? null, pool, calibration)
  verifying.catch(() => {})
  // While another thread tries the file out.
  const risks = saturation(scheme, held.candidate, plan)
  const findings = [
    ...(compressed ?? opened).findings,
    ...duplicateNames(opened.graph),
    ...measured.findings,
    ...plan.findings,
    ...risks,
    ...(await verifying),
    ...held.findings,
  ]
  const { keepFloat } = held.candidate.request
  const result = {
    bytes,
    format,
    scheme: keepFloat.length > 0 ? mixed(scheme) : scheme,
    findings,
    plan,
    operators: plan.operators,
    recovery: recovered.steps,
    ...(held.report && { budget: held.report }),
  }
  if (compressed === null) return result
  const compression = await reportCompression(model, plan, bytes, compressed, target.weightBits)
  return {
    ...result,
    findings: [...findings, ...compressionFindings(compression)],
    compression,
  }
}

/** The model after pruning and clustering, for the forms its weights will take; null where neither was asked for. */
async function compressSource(
  request: QuantizeRequest,
  target: CodeForms,
  pool: InferencePool,
): Promise<Compressed | null> {
  const { scheme, options = {} } = request
  if (options.compression === undefined) return null
  const sources = options.sources ?? 'dequantize'
  const model = await openModel({ ...request, options: { ...options, sources } })
  // Biases need the means of activations, whatever the scheme.
  const measured = await measure(model, pool, request, true)
  const plan = planScheme(scheme, planRequestOf(model, measured, request, target))
  const means = meansOf(measured.statistics)
  return compress(model, plan, target.weightBits, options.compression, means)
}

function planRequestOf(
  model: QuantizableModel,
  { ranges, unusable }: Measured,
  { format, options = {} }: QuantizeRequest,
  target: CodeForms,
): PlanRequest {
  const { graph } = model
  const { release } = options
  return {
    graph,
    links: linksOf(graph),
    facts: FACTS[format],
    ranges,
    unusable,
    revisions: new Map(),
    keepFloat: options.keepFloat ?? [],
    runtimeObstacle: (operator, as) =>
      release === undefined ? null : (model.newerForm?.(operator, as, target, release) ?? null),
    target,
  }
}

/** Other methods would move what pruning made zero, clustering equal, and training fit for its ranges. */
const KEEPS_WEIGHTS: readonly RecoveryMethod[] = ['bias-correction', 'sequential-bias-correction']

function recoveryMethods(
  { recovery, compression }: QuantizeOptions,
  { graph }: QuantizableModel,
): readonly RecoveryMethod[] {
  const asked = recovery ?? RECOVERY_NAMES
  const settled = compression !== undefined || learntRanges(graph).size > 0
  return settled ? asked.filter((method) => KEEPS_WEIGHTS.includes(method)) : asked
}

interface AllServices extends Services {
  /** Null where there are no samples. */
  readonly sqnr: SqnrEvaluator | null
}

function servicesFor(pool: InferencePool, request: QuantizeRequest): AllServices {
  const { calibration, scheme, options = {} } = request
  const samples = calibration ?? options.budget?.test
  const services: Services = {
    thorough: options.recovery !== undefined,
    plan: (planRequest) => planScheme(scheme, planRequest),
    open: (bytes) => openModel({ ...request, model: bytes }),
    observe: async (model, wish) =>
      calibration === undefined
        ? []
        : (await calibrate(model, pool, calibration, () => {}, wish)).statistics,
    channelMeans: async (model, copy) =>
      calibration === undefined ? new Map() : await channelMeans(model, copy, pool, calibration),
    chooseRanges: (statistics, model) => rangesFor(statistics, model, request),
  }
  return {
    ...services,
    sqnr: samples === undefined ? null : new SqnrEvaluator(pool, samples, services),
  }
}

/** Weights beyond which recovery costs more than the calibration: only what helps nearly always is done unasked. */
const MOST_WEIGHED = 2 ** 23

function weightsIn({ model }: Candidate): number {
  const constants = model.graph.tensors.filter(({ constant }) => constant !== null)
  return constants.reduce((sum, { shape }) => sum + sizeOf(shape ?? []), 0)
}

async function recoverIn(
  candidate: Candidate,
  { scheme }: QuantizeRequest,
  methods: readonly RecoveryMethod[],
  services: AllServices,
) {
  const pointless = methods.length === 0 || candidate.plan.instructions.length === 0
  if (services.sqnr === null || !isCalibrated(scheme) || pointless) return { candidate, steps: [] }
  if (!services.thorough && weightsIn(candidate) > MOST_WEIGHED) {
    const corrected = await RECOVERY_METHODS['bias-correction'].run(candidate, services)
    return { candidate: corrected ?? candidate, steps: [] }
  }
  return await recover(candidate, methods, services, services.sqnr)
}

async function holdIn(
  candidate: Candidate,
  { format, calibration, options = {}, onProgress }: QuantizeRequest,
  services: AllServices,
  planOf: (candidate: Candidate) => Plan,
): Promise<{ candidate: Candidate; report?: BudgetReport; findings: readonly Finding[] }> {
  const { budget } = options
  if (budget === undefined) return { candidate, findings: [] }
  const samples = budget.test ?? calibration
  if (samples === undefined || services.sqnr === null) {
    throw new QuantizerError(
      'calibration-missing',
      'an accuracy budget is held on samples: give labelled test data, or calibration samples',
    )
  }
  const evaluator = await MetricEvaluator.start(format, candidate.model.perform(NO_CHANGE), samples)
  const held = await holdBudget(candidate, budget.maxDrop, {
    plan: services.plan,
    sqnr: services.sqnr,
    evaluator,
    write: (one) => one.model.perform(planOf(one)),
    onTrial: (done, total) => onProgress?.(done, total, 'measuring what each operator does'),
  })
  return { ...held, findings: [budgetFinding(held.report)] }
}

/** By the weights as recovery left them; sums that saturate seldom cost less than float would. */
function inFloatWhereSaturating(candidate: Candidate, services: Services): Candidate {
  const { plan, model, statistics, request } = candidate
  const risks = saturationRisks(plan, model.graph, statistics).filter(({ often }) => often > 0)
  if (risks.length === 0) return candidate
  const risky = new Set(risks.map(({ operator }) => operator))
  const because = 'its sums often saturate on x86 without VNNI'
  const selector = { where: ({ name }: GraphOperator) => risky.has(name), because }
  const spared = { ...request, keepFloat: [...request.keepFloat, selector] }
  return { ...candidate, request: spared, plan: services.plan(spared) }
}

/** Only unsigned activations with weights of 8 bits meet the kernels that could. */
function saturation(
  scheme: Scheme,
  { request, model, statistics }: Candidate,
  plan: Plan,
): Finding[] {
  const { activations, weightBits } = request.target
  const asked = activations === 'uint8' && weightBits === 8
  const instead = isCalibrated(scheme) ? '-u8s8-rr' : `${scheme.base}-rr`
  return asked ? saturationFindings(plan, model.graph, statistics, instead) : []
}

/** A file with operators left in float on purpose says so in its scheme's name. */
function mixed(scheme: Scheme): Scheme {
  if (!isCalibrated(scheme) || hasSuffix(scheme, 'mixed')) return scheme
  return { ...scheme, suffixes: [...scheme.suffixes, 'mixed'] }
}

function refuseMissingCalibration(
  { graph }: QuantizableModel,
  { scheme, calibration }: QuantizeRequest,
): void {
  if (!isCalibrated(scheme) || calibration !== undefined) return
  if (learntRanges(graph).size > 0) return
  throw new QuantizerError(
    'calibration-missing',
    `scheme ${printScheme(scheme)} needs calibration data: give some samples of the model's inputs`,
  )
}

/** Float operators have no older form to fall back to. */
function refuseUnloadable(
  model: QuantizableModel,
  bytes: Uint8Array,
  release: string | undefined,
): void {
  const findings = release === undefined ? [] : (model.unloadable?.(bytes, release) ?? [])
  if (findings.length === 0) return
  const reasons = findings.map(({ message }) => message).join('; ')
  throw new QuantizerError('target-too-old', reasons, { findings })
}

/** A variant that computes like its source is none. */
function refuseEmpty(plan: Plan, scheme: Scheme, ofSource: readonly Finding[]): void {
  if (BASE_SCHEMES[scheme.base].weights === 'float32' || plan.instructions.length > 0) return
  // A source that is quantized already explains more than any single operator does.
  const findings = [...ofSource, ...plan.findings]
  const reason = findings[0]?.message ?? 'it has no float operator that the scheme covers'
  throw new QuantizerError(
    'nothing-to-quantize',
    `${printScheme(scheme)} would change nothing in this model: ${reason}`,
    { findings },
  )
}
