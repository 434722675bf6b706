import type { ModelFormat } from '../../shared/runtime/index.ts'
import { ONNX_OPERATOR_FACTS } from './onnx-operators.ts'
import { type FactsTable, OPERATOR_FACTS } from './operators.ts'

/** What the runtime of each format does with each kind of operator. */
export const FACTS: Record<ModelFormat, FactsTable> = {
  tflite: OPERATOR_FACTS,
  onnx: ONNX_OPERATOR_FACTS,
}
