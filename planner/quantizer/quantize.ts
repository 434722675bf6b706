import type { Finding } from '../../shared/findings.ts'
import { type ModelFormat, runtimeFor } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import { linksOf } from '../formats/links.ts'
import type { QuantizableModel } from '../formats/quantizable.ts'
import { calibrate } from './calibrate/calibrate.ts'
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
import { type Measured, measure, rangesFor } from './measure.ts'
import { openModel } from './open.ts'
import type { QuantizeOptions } from './options.ts'
import type { OperatorTally, Plan } from './plan/instructions.ts'
import { planScheme } from './plan/plan.ts'
import type { PlanRequest, PlanTarget } from './plan/request.ts'
import { Gauge } from './recovery/gauge.ts'
import {
  meansOf,
  type RecoveryMethod,
  type RecoveryStep,
  recover,
  USUAL_RECOVERY,
} from './recovery/recover.ts'
import type { Subject, Tools } from './recovery/subject.ts'
import { isCalibrated, type QuantizeRequest } from './request.ts'
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
  /** Where pruning or clustering was asked for. */
  readonly compression?: CompressionReport
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
  const opened = await openModel(source)
  const methods = recoveryMethods(options)
  const measured = await measure(opened, laboratory, source, {
    moments: methods.includes('rounding'),
  })
  const planRequest = planRequestOf(opened, measured, request, target)
  const recovered = await recoverIn(laboratory, source, methods, {
    model: opened,
    statistics: measured.statistics,
    request: planRequest,
    plan: planScheme(scheme, planRequest),
  })
  const { model } = recovered.subject
  const { plan: best } = recovered.subject
  const plan = compressed === null ? best : keepClusters(best, model, compressed)
  refuseEmpty(plan, scheme, opened.findings)
  const bytes = plan.instructions.length === 0 ? source.model : model.perform(plan)
  await verify(bytes, laboratory, calibration)
  const built = (await model.audit?.(bytes, plan)) ?? []
  const findings = [
    ...(compressed ?? opened).findings,
    ...measured.findings,
    ...plan.findings,
    ...built,
  ]
  const named = options.keepFloat?.length ? mixed(scheme) : scheme
  const tally = plan.operators
  const result = {
    bytes,
    format,
    scheme: named,
    findings,
    plan,
    operators: tally,
    recovery: recovered.steps,
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
  target: PlanTarget,
  laboratory: Laboratory,
): Promise<Compressed | null> {
  const { scheme, options = {} } = request
  if (options.compression === undefined) return null
  const sources = options.sources ?? 'dequantize'
  const model = await openModel({ ...request, options: { ...options, sources } })
  // Biases need the means of activations, whatever the scheme.
  const measured = await measure(model, laboratory, request, {}, true)
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

/** Other methods would move what pruning made zero, and clustering equal. */
const KEEPS_COMPRESSION: readonly RecoveryMethod[] = ['bias-correction']

function recoveryMethods({ recovery, compression }: QuantizeOptions): readonly RecoveryMethod[] {
  const asked = recovery ?? USUAL_RECOVERY
  return compression === undefined
    ? asked
    : asked.filter((method) => KEEPS_COMPRESSION.includes(method))
}

async function recoverIn(
  laboratory: Laboratory,
  request: QuantizeRequest,
  methods: readonly RecoveryMethod[],
  subject: Subject,
) {
  const { calibration, scheme } = request
  const pointless = methods.length === 0 || subject.plan.instructions.length === 0
  if (calibration === undefined || !isCalibrated(scheme) || pointless) {
    return { subject, steps: [] }
  }
  const moments = methods.includes('rounding')
  const tools: Tools = {
    thorough: request.options?.recovery !== undefined,
    plan: (planRequest) => planScheme(scheme, planRequest),
    open: (bytes) => openModel({ ...request, model: bytes }),
    observe: async (model, only) => {
      const { statistics } = await calibrate(model, laboratory, calibration, () => {}, {
        only,
        moments,
      })
      return statistics
    },
    chooseRanges: (statistics, model) => rangesFor(statistics, model, request),
  }
  const gauge = new Gauge(laboratory, calibration, tools)
  return await recover(subject, methods, tools, gauge)
}

/** A file with operators left in float on purpose says so in its scheme's name. */
function mixed(scheme: Scheme): Scheme {
  if (!isCalibrated(scheme) || hasSuffix(scheme, 'mixed')) return scheme
  return { ...scheme, suffixes: [...scheme.suffixes, 'mixed'] }
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
