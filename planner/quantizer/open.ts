import { BASE_SCHEMES } from '../../shared/schemes.ts'
import type { QuantizableModel } from '../graph/index.ts'
import { targetOf } from '../targets/index.ts'
import { QuantizerError } from './errors.ts'
import { printSelector, selects } from './plan/selectors.ts'
import { isCalibrated, type QuantizeRequest } from './request.ts'

/** The source as the options want it. @throws QuantizerError `source-refused`, or the format's own */
export async function openModel(
  request: Omit<QuantizeRequest, 'calibration'>,
): Promise<QuantizableModel> {
  const { target, formats, model, fileName, scheme, options = {} } = request
  const forIntegers = isCalibrated(scheme)
  const sources = options.sources ?? (forIntegers ? 'dequantize' : 'keep')
  // Halves are floats: every scheme but the source as given makes of them what it makes of float32.
  const asGiven = BASE_SCHEMES[scheme.base].weights === 'float32'
  const widenHalves = options.sources === undefined ? !asGiven : sources === 'dequantize'
  const named = fileName === undefined ? {} : { fileName }
  const opener = await formats[targetOf(target).format]()
  const opened = await opener.open(model, { sources, widenHalves, forIntegers, ...named })
  const [first] = opened.findings.filter(({ code }) => code.startsWith('source-'))
  if (sources === 'refuse' && first !== undefined) {
    throw new QuantizerError('source-refused', `refused, as you asked: ${first.message}`)
  }
  return opened
}

/**
 * A selector that picks nothing is a misspelling: the file would not be what was asked for.
 * @throws QuantizerError `nothing-selected`
 */
export function refuseIdleSelectors(
  { graph }: QuantizableModel,
  { options }: QuantizeRequest,
): void {
  const idle = (options?.keepFloat ?? []).find(
    (selector) => !graph.operators.some((operator) => selects(selector, operator)),
  )
  if (idle === undefined) return
  const last = graph.operators.at(-1)
  throw new QuantizerError(
    'nothing-selected',
    `"${printSelector(idle)}" picks no operator to keep in float: operators are named after their first output (the last one is "${last?.name ?? ''}"), and fitment inspect lists their kinds`,
  )
}
