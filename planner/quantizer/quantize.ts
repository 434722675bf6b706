import type { Dataset } from '../../shared/dataset/index.ts'
import type { Finding } from '../../shared/findings.ts'
import { type ModelFormat, runtimeFor } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import { linksOf } from '../formats/links.ts'
import type { QuantizableFormat, QuantizableModel } from '../formats/quantizable.ts'
import { quantizableTflite } from '../formats/tflite/quantizable.ts'
import { calibrate } from './calibrate/calibrate.ts'
import { QuantizerError } from './errors.ts'
import type { QuantizeOptions } from './options.ts'
import type { OperatorTally, Plan } from './plan/instructions.ts'
import { planScheme } from './plan/plan.ts'
import type { PlanRequest } from './plan/request.ts'
import { chooseRanges, type RangeChoice } from './ranges/choose.ts'
import { targetOf } from './target.ts'
import { verify } from './verify.ts'

export interface QuantizeRequest {
  readonly model: Uint8Array
  readonly format: ModelFormat
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
}

const FORMATS: Record<ModelFormat, QuantizableFormat | null> = {
  tflite: quantizableTflite,
  onnx: null,
}

/**
 * Quantizes a model by a scheme: calibrate, plan, perform, verify. Nothing is written anywhere.
 * @throws QuantizerError, DatasetError, or the format's own error where the bytes are no model.
 */
export async function quantize(request: QuantizeRequest): Promise<QuantizeResult> {
  const { format, scheme, calibration, options = {} } = request
  const calibrated = BASE_SCHEMES[scheme.base].calibrated
  const model = openModel(request)
  if (calibrated && calibration === undefined) {
    throw new QuantizerError(
      'calibration-missing',
      `scheme ${printScheme(scheme)} needs calibration data: give some samples of the model's inputs`,
    )
  }
  const ranged = calibrated && calibration ? await rangesOf(model, request, calibration) : NO_RANGES
  const planRequest: PlanRequest = {
    graph: model.graph,
    links: linksOf(model.graph),
    ranges: ranged.ranges,
    unusable: ranged.unusable,
    revisions: new Map(),
    keepFloat: options.keepFloat ?? [],
    target: targetOf(scheme, options),
  }
  const plan = planScheme(scheme, planRequest)
  refuseEmpty(plan, scheme)
  const bytes = plan.instructions.length === 0 ? request.model : model.perform(plan)
  await verify(bytes, runtimeFor(format), calibration)
  const findings = [...model.findings, ...ranged.findings, ...plan.findings]
  return { bytes, format, scheme, findings, plan, operators: plan.operators }
}

const NO_RANGES: RangeChoice = { ranges: new Map(), unusable: new Map(), findings: [] }

function openModel({ format, model, scheme, options }: QuantizeRequest): QuantizableModel {
  const quantizable = FORMATS[format]
  if (quantizable === null) {
    throw new QuantizerError('unsupported-format', `.${format} models cannot be quantized yet`)
  }
  const restores = BASE_SCHEMES[scheme.base].calibrated
  return quantizable.open(model, options?.sources ?? (restores ? 'dequantize' : 'keep'))
}

async function rangesOf(
  model: QuantizableModel,
  { format, scheme, options, onProgress }: QuantizeRequest,
  calibration: Dataset,
): Promise<RangeChoice> {
  const { statistics, findings } = await calibrate(
    model,
    runtimeFor(format),
    calibration,
    (done, total) => onProgress?.(done, total, 'calibrating'),
  )
  const steps = BASE_SCHEMES[scheme.base].activations === 'int16' ? 65534 : 255
  const links = linksOf(model.graph)
  const choice = chooseRanges(statistics, options?.ranges ?? 'auto', steps, model.graph, links)
  return { ...choice, findings: [...findings, ...choice.findings] }
}

/** A variant that computes like its source is none. */
function refuseEmpty(plan: Plan, scheme: Scheme): void {
  const asks = BASE_SCHEMES[scheme.base]
  if (asks.weights === 'float32' || plan.instructions.length > 0) return
  const [first] = plan.findings
  throw new QuantizerError(
    'nothing-to-quantize',
    `${printScheme(scheme)} would change nothing in this model: ${first?.message ?? 'it has no float operator that the scheme covers'}`,
    { findings: plan.findings },
  )
}

/** Whether the model's own edges change type: callers then feed and read integers. */
export function hasIntegerEdges(scheme: Scheme): boolean {
  return hasSuffix(scheme, 'io8') || hasSuffix(scheme, 'iou8')
}
