import { takeSamples } from '../../shared/dataset/index.ts'
import { AppError, UsageError } from '../../shared/errors.ts'
import type { Finding } from '../../shared/findings.ts'
import { budgetOf, type LatencyBudget, NOISE } from '../../shared/measure/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme } from '../../shared/schemes.ts'
import { formatRatio } from '../../shared/units.ts'
import { type MixedPrecisionReport, type QuantizeResult, ratioToFloat } from '../quantizer/index.ts'
import { targetOf } from '../targets/index.ts'
import type { FileTarget } from './file-target.ts'
import type { Order } from './quantizer.ts'
import { quantize, quantizeForNarrowSums, searchMixed } from './quantizer.ts'

/** A quantized file that is not to be written. */
class TooSlowError extends AppError {
  readonly code = 'slower-than-float'
}

export interface Sped {
  readonly result: QuantizeResult
  readonly findings: readonly Finding[]
  /** What was measured; null where nothing was. */
  readonly speed: { readonly ratio: number } | MixedPrecisionReport | null
}

/** At most; a file that is certain to be no slower, or slower, needs no exact number. */
const CHECK: LatencyBudget = { ...budgetOf(400), decides: [1 + NOISE] }
const CHECK_SAMPLES = 8

/** The mixed form that is fastest on this machine. @throws UsageError, TooSlowError where nothing beats float32 */
export async function quantizeFastest(request: Order): Promise<Sped> {
  const { scheme, target, calibration } = request
  if (!tells(request) || calibration === undefined) {
    throw new UsageError(
      `--fastest is for .onnx files in static-w8a8 with --calibration, not for .${targetOf(target).format} in ${printScheme(scheme)}`,
    )
  }
  const full = await quantize(request)
  const { result, report } = await searchMixed({ ...request, calibration: await calibration }, full)
  const { why } = report.decision
  if (result === null) {
    throw new TooSlowError(
      `nothing is written: ${why}; use --scheme float16, or leave --fastest out to have it all the same`,
      { report },
    )
  }
  const finding: Finding = { code: 'measured-speed', severity: 'info', message: why }
  return { result, findings: [finding], speed: report }
}

/** What this machine takes tells nothing of others, so nothing is timed. */
export async function quantizeForTarget(
  request: Order,
  { narrowSums }: Pick<FileTarget, 'narrowSums'>,
): Promise<Sped> {
  const { calibration, scheme } = request
  const realEdges = !hasSuffix(scheme, 'io8') && !hasSuffix(scheme, 'iou8')
  const both = narrowSums && realEdges && calibration !== undefined
  const result = both
    ? await quantizeForNarrowSums({ ...request, calibration: await calibration })
    : await quantize(request)
  return { result, findings: [], speed: null }
}

/**
 * Says when integers gain nothing here. Not of a .tflite: native builds of TensorFlow Lite run it faster than the one that
 * this program has.
 */
export async function quantizeTimed(request: Order): Promise<Sped> {
  const { target, model, calibration } = request
  const result = await quantize(request)
  const silent = { result, findings: [], speed: null }
  if (!tells(request) || calibration === undefined) return silent
  const data = takeSamples(await calibration, CHECK_SAMPLES)
  const ratio = await ratioToFloat(target, model, result.bytes, data, CHECK)
  const speed = { ratio }
  if (ratio <= 1 + NOISE) return { ...silent, speed }
  const message = `${printScheme(result.scheme)} takes ${formatRatio(ratio)} the time of float32 on this machine: --fastest looks for a mixed form that is faster; float16 is small, and as fast as float32`
  return { result, findings: [{ code: 'slower-than-float', severity: 'warning', message }], speed }
}

/** Whether what integers take here says anything of devices. */
function tells({ scheme, target }: Order): boolean {
  const integers = BASE_SCHEMES[scheme.base].activations === 'int8'
  return integers && targetOf(target).timesHere === 'same-library'
}
