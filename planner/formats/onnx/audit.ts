import type { Finding } from '../../../shared/findings.ts'
import type { Audit, Graph, GraphOperator, OperatorKind, Plan } from '../../graph/index.ts'
import { fusedIn } from './fused.ts'

/** Where nearly all of the time goes: what the integers are for. */
const PRODUCTS: ReadonlySet<OperatorKind> = new Set([
  'conv',
  'depthwise-conv',
  'fully-connected',
  'batch-matmul',
])

const PRODUCT_KERNELS =
  /^(QLinearConv|QGemm|QLinearMatMul|MatMulInteger|DynamicQuantizeMatMul|MatMulNBits)/

/**
 * What ONNX Runtime's optimiser made of a file: integers that no kernel computes on are float operators between two
 * conversions, slower than before. Null where the plan has nothing compute on integers.
 */
export function audit(plan: Plan, graph: Graph): Audit | null {
  const computing = plan.instructions.flatMap((one) =>
    one.verb === 'compute' ? (graph.operators[one.operator] ?? []) : [],
  )
  if (computing.length === 0) return null
  // Such files are for processors with the kernels, whatever this host has.
  const signedActivations = plan.instructions.some(
    (one) => one.verb === 'set-activation' && one.form.type === 'int8',
  )
  return { signedActivations, judge: (optimized) => judge(computing, fusedIn(optimized).integer) }
}

function judge(
  computing: readonly GraphOperator[],
  integer: Readonly<Record<string, number>>,
): Finding[] {
  const count = (pattern: RegExp) =>
    Object.entries(integer).reduce((sum, [type, n]) => sum + (pattern.test(type) ? n : 0), 0)
  if (count(/./) === 0) {
    return [
      {
        code: 'nothing-fused',
        severity: 'error',
        message: `ONNX Runtime computes none of the ${computing.length} quantized operators on integers: this file is slower than the float model; use float16`,
      },
    ]
  }
  const wanted = computing.filter(({ kind }) => PRODUCTS.has(kind)).length
  const fused = count(PRODUCT_KERNELS)
  if (fused >= wanted) return []
  return [
    {
      code: 'partly-fused',
      severity: 'warning',
      message: `ONNX Runtime computes ${fused} of the ${wanted} quantized products on integers, the others in float between two conversions`,
    },
  ]
}
