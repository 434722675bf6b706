import { takeSamples } from '../../../shared/dataset/index.ts'
import { AppError, UsageError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { BASE_SCHEMES, hasSuffix, printScheme } from '../../../shared/schemes.ts'
import { formatRatio } from '../../../shared/units.ts'
import {
  type MixingReport,
  type QuantizeOrder,
  type QuantizeResult,
  quantize,
  quantizeForNarrowSums,
  ratioToFloat,
  searchMixed,
} from '../../quantizer/index.ts'
import { NOISE } from '../../selection/index.ts'
import type { CliOption } from '../program/command.ts'
import type { Target } from './quantize-target.ts'

export const FASTEST_OPTION: CliOption = {
  flags: '--fastest',
  description:
    '.onnx in static-w8a8: leave in float what integers slow down on this machine, found by profile and measured; writes nothing where float32 stays faster',
}

/** A quantized file that is not to be written. */
class TooSlowError extends AppError {
  readonly code = 'slower-than-float'
}

export interface Sped {
  readonly result: QuantizeResult
  readonly findings: readonly Finding[]
  /** What was measured; null where nothing was. */
  readonly speed: { readonly ratio: number } | MixingReport | null
}

const CHECK_MS = 400
const CHECK_SAMPLES = 8

/** The mixed form that is fastest on this machine. @throws UsageError, TooSlowError where nothing beats float32 */
export async function quantizeFastest(request: QuantizeOrder): Promise<Sped> {
  const { scheme, format, calibration } = request
  if (format !== 'onnx' || !isIntegers(request) || calibration === undefined) {
    throw new UsageError(
      `--fastest is for .onnx files in static-w8a8 with --calibration, not for .${format} in ${printScheme(scheme)}`,
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
  request: QuantizeOrder,
  { narrowSums }: Pick<Target, 'narrowSums'>,
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
export async function quantizeTimed(request: QuantizeOrder): Promise<Sped> {
  const { format, model, calibration } = request
  const result = await quantize(request)
  const silent = { result, findings: [], speed: null }
  const timed = format === 'onnx' && isIntegers(request)
  if (!timed || calibration === undefined) return silent
  const data = takeSamples(await calibration, CHECK_SAMPLES)
  const ratio = await ratioToFloat(format, model, result.bytes, data, CHECK_MS)
  const speed = { ratio }
  if (ratio <= 1 + NOISE) return { ...silent, speed }
  const message = `${printScheme(result.scheme)} takes ${formatRatio(ratio)} the time of float32 on this machine: --fastest looks for a mixed form that is faster; float16 is small, and as fast as float32`
  return { result, findings: [{ code: 'slower-than-float', severity: 'warning', message }], speed }
}

function isIntegers({ scheme }: QuantizeOrder): boolean {
  return BASE_SCHEMES[scheme.base].activations === 'int8'
}
