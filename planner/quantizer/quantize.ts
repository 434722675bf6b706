import type { Dataset } from '../../shared/dataset/index.ts'
import type { Finding } from '../../shared/findings.ts'
import { type ModelFormat, runtimeFor } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import { linksOf } from '../formats/links.ts'
import { quantizableOnnx } from '../formats/onnx/quantizable.ts'
import type { QuantizableFormat, QuantizableModel } from '../formats/quantizable.ts'
import { quantizableTflite } from '../formats/tflite/quantizable.ts'
import { calibrate } from './calibrate/calibrate.ts'
import type { TensorStatistics } from './calibrate/statistics.ts'
import { type Compressed, compress } from './compression/compress.ts'
import { keepClusters } from './compression/keep-clusters.ts'
import {
  type CompressionReport,
  compressionFindings,
  reportCompression,
} from './compression/report.ts'
import { QuantizerError } from './errors.ts'
import { FACTS } from './facts.ts'
import { Laboratory } from './laboratory/laboratory.ts'
import type { QuantizeOptions } from './options.ts'
import type { OperatorTally, Plan } from './plan/instructions.ts'
import { planScheme } from './plan/plan.ts'
import type { PlanRequest, PlanTarget } from './plan/request.ts'
import { printSelector, selects } from './plan/selectors.ts'
import { chooseRanges, type RangeChoice } from './ranges/choose.ts'
import { meansOf, RECOVERY_METHODS, RECOVERY_NAMES } from './recovery/recover.ts'
import { targetOf } from './target.ts'
import { verify } from './verify.ts'

export interface QuantizeRequest {
  readonly model: Uint8Array
  readonly format: ModelFormat
  /** For error messages. */
  readonly fileName?: string
  readonly scheme: Scheme
  /** Needed by schemes with integer activations. */
  readonly calibration?: Dataset
  readonly options?: QuantizeOptions
  readonly onProgress?: (done: number, total: number, what: string) => void
}

export interface QuantizeResult {
  readonly bytes: Uint8Array
  readonly format: ModelFormat
  readonly scheme: Scheme
  readonly findings: readonly Finding[]
  readonly plan: Plan
  readonly operators: OperatorTally
  /** Where pruning or clustering was asked for. */
  readonly compression?: CompressionReport
}

const FORMATS: Record<ModelFormat, QuantizableFormat> = {
  tflite: quantizableTflite,
  onnx: quantizableOnnx,
}

/**
 * Quantizes a model by a scheme: calibrate, plan, recover, perform, verify. Nothing is written anywhere.
 * @throws QuantizerError, DatasetError, or the format's own error where the bytes are no model.
 */
export async function quantize(request: QuantizeRequest): Promise<QuantizeResult> {
  refuseMissingCalibration(request)
  const laboratory = new Laboratory(runtimeFor(request.format))
  try {
    return await quantizeIn(laboratory, request)
  } finally {
    await laboratory.close()
  }
}

async function quantizeIn(
  laboratory: Laboratory,
  request: QuantizeRequest,
): Promise<QuantizeResult> {
  const { format, scheme, calibration, options = {} } = request
  const target = targetOf(scheme, options, format)
  const compressed = await compressSource(request, target, laboratory)
  const source = compressed === null ? request : { ...request, model: compressed.bytes }
  const model = await openModel(source)
  refuseIdleSelectors(model, options)
  const measured = await measure(model, laboratory, source)
  const planRequest = planRequestOf(model, measured, request, target)
  const recovered = recover(planRequest, scheme, measured.statistics, options)
  const plan = compressed === null ? recovered : keepClusters(recovered, model, compressed)
  refuseEmpty(plan, scheme, model.findings)
  const bytes = plan.instructions.length === 0 ? source.model : model.perform(plan)
  await verify(bytes, laboratory, calibration)
  const built = (await model.audit?.(bytes, plan)) ?? []
  const findings = [
    ...(compressed ?? model).findings,
    ...measured.findings,
    ...plan.findings,
    ...built,
  ]
  const named = options.keepFloat?.length ? mixed(scheme) : scheme
  const result = { bytes, format, scheme: named, findings, plan, operators: plan.operators }
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
  target: PlanTarget,
  laboratory: Laboratory,
): Promise<Compressed | null> {
  const { scheme, options = {} } = request
  if (options.compression === undefined) return null
  const sources = options.sources ?? 'dequantize'
  const model = await openModel({ ...request, options: { ...options, sources } })
  // Biases need the means of activations, whatever the scheme.
  const measured = await measure(model, laboratory, request, true)
  const plan = planScheme(scheme, planRequestOf(model, measured, request, target))
  const means = meansOf(measured.statistics)
  return compress(model, plan, target.weightBits, options.compression, means)
}

function planRequestOf(
  { graph }: QuantizableModel,
  { ranges, unusable }: Measured,
  { format, options = {} }: QuantizeRequest,
  target: PlanTarget,
): PlanRequest {
  return {
    graph,
    links: linksOf(graph),
    facts: FACTS[format],
    ranges,
    unusable,
    revisions: new Map(),
    keepFloat: options.keepFloat ?? [],
    target,
  }
}

async function openModel({
  format,
  model,
  fileName,
  scheme,
  options,
}: QuantizeRequest): Promise<QuantizableModel> {
  const forIntegers = isCalibrated(scheme)
  const sources = options?.sources ?? (forIntegers ? 'dequantize' : 'keep')
  const named = fileName === undefined ? {} : { fileName }
  const opened = await FORMATS[format].open(model, { sources, forIntegers, ...named })
  const [first] = opened.findings.filter(({ code }) => code.startsWith('source-'))
  if (sources !== 'refuse' || first === undefined) return opened
  throw new QuantizerError('source-refused', `refused, as you asked: ${first.message}`)
}

/** A selector that picks nothing is a misspelling: the file would not be what was asked for. */
function refuseIdleSelectors({ graph }: QuantizableModel, { keepFloat = [] }: QuantizeOptions) {
  const idle = keepFloat.find((selector) => !graph.operators.some((one) => selects(selector, one)))
  if (idle === undefined) return
  const last = graph.operators.at(-1)
  throw new QuantizerError(
    'nothing-selected',
    `"${printSelector(idle)}" picks no operator to keep in float: operators are named after their first output (the last one is "${last?.name ?? ''}"), and fitment inspect lists their kinds`,
  )
}

interface Measured extends RangeChoice {
  readonly statistics: readonly TensorStatistics[]
}

async function measure(
  model: QuantizableModel,
  laboratory: Laboratory,
  { scheme, options, calibration, onProgress }: QuantizeRequest,
  wanted = isCalibrated(scheme),
): Promise<Measured> {
  if (!wanted || calibration === undefined) {
    return { statistics: [], ranges: new Map(), unusable: new Map(), findings: [] }
  }
  const onSample = (done: number, total: number) => onProgress?.(done, total, 'calibrating')
  const { statistics, findings } = await calibrate(model, laboratory, calibration, onSample)
  const steps = BASE_SCHEMES[scheme.base].activations === 'int16' ? 65534 : 255
  const choice = chooseRanges(statistics, options?.ranges ?? 'auto', steps, model.graph)
  return { statistics, ...choice, findings: [...findings, ...choice.findings] }
}

/** The first plan says which numbers get rounded; recovery revises them, and the last plan stands. */
function recover(
  request: PlanRequest,
  scheme: Scheme,
  statistics: readonly TensorStatistics[],
  options: QuantizeOptions,
): Plan {
  let plan = planScheme(scheme, request)
  if (statistics.length === 0) return plan
  let revisions = request.revisions
  for (const method of options.recovery ?? RECOVERY_NAMES) {
    revisions = RECOVERY_METHODS[method](plan, { ...request, revisions }, statistics)
    plan = planScheme(scheme, { ...request, revisions })
  }
  return plan
}

/** A file with operators left in float on purpose says so in its scheme's name. */
function mixed(scheme: Scheme): Scheme {
  if (!isCalibrated(scheme) || hasSuffix(scheme, 'mixed')) return scheme
  return { ...scheme, suffixes: [...scheme.suffixes, 'mixed'] }
}

function isCalibrated(scheme: Scheme): boolean {
  return BASE_SCHEMES[scheme.base].calibrated
}

function refuseMissingCalibration({ scheme, calibration }: QuantizeRequest): void {
  if (!isCalibrated(scheme) || calibration !== undefined) return
  throw new QuantizerError(
    'calibration-missing',
    `scheme ${printScheme(scheme)} needs calibration data: give some samples of the model's inputs`,
  )
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
