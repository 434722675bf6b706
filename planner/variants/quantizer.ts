import { MODEL_FORMATS } from '../formats/index.ts'
import {
  type Mixed,
  type OperatorSelector,
  type QuantizeOrder,
  type QuantizeRequest,
  type QuantizeResult,
  quantizeForNarrowSums as quantizeForNarrowSumsIn,
  quantize as quantizeIn,
  searchMixed as searchMixedIn,
  slowOnIntegers as slowOnIntegersIn,
} from '../quantizer/index.ts'

// The quantizer knows no format, and formats know no quantizer: here they meet.

export type Order = Omit<QuantizeOrder, 'formats'>
export type Request = Omit<QuantizeRequest, 'formats'>
export type CalibratedRequest = Request & Required<Pick<Request, 'calibration'>>

const formats = MODEL_FORMATS

export function quantize(order: Order): Promise<QuantizeResult> {
  return quantizeIn({ ...order, formats })
}

export function quantizeForNarrowSums(request: CalibratedRequest): Promise<QuantizeResult> {
  return quantizeForNarrowSumsIn({ ...request, formats })
}

export function searchMixed(
  request: CalibratedRequest,
  integer: QuantizeResult,
  measureMs?: number,
): Promise<Mixed> {
  return searchMixedIn({ ...request, formats }, integer, measureMs)
}

export function slowOnIntegers(request: Request): Promise<OperatorSelector> {
  return slowOnIntegersIn({ ...request, formats })
}
