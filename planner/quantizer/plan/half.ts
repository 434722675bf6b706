import type { Finding } from '../../../shared/findings.ts'
import type { GraphTensor, Instruction, Plan } from '../../graph/index.ts'
import { FLOAT16, FLOAT16_LARGEST, FLOAT32, usesOf } from '../../graph/index.ts'
import type { PlanRequest } from './request.ts'

/** A constant below this grows: its DEQUANTIZE operator and second tensor take more than the halves save. */
const MINIMUM_ELEMENTS = 128

/** Constants stored as float16, expanded when the model loads; computing stays float32 (`float16`). */
export function planHalf(request: PlanRequest): Plan {
  const { graph, links } = request
  const instructions: Instruction[] = []
  const findings: Finding[] = []
  for (const tensor of graph.tensors) {
    const uses = usesOf(links, tensor.id).filter((use) => use.kind === 'input')
    const values = halvable(tensor)
    if (values === null || uses.length + (tensor.unseenReaders?.length ?? 0) === 0) continue
    instructions.push(
      { verb: 'store-constant', tensor: tensor.id, form: FLOAT16, uses: [] },
      { verb: 'convert', tensor: tensor.id, from: FLOAT16, to: FLOAT32, uses },
    )
    if (values.some(Number.isNaN)) findings.push(notANumber(tensor))
    if (values.some((value) => Math.abs(value) > FLOAT16_LARGEST)) findings.push(clipped(tensor))
  }
  const total = graph.operators.length
  return { instructions, findings, operators: { total, integer: 0, float: total } }
}

function halvable(tensor: GraphTensor): Float32Array | null {
  if (tensor.constant === null || tensor.type !== 'float32' || tensor.variable) return null
  const values = tensor.constant.read()
  return values !== null && values.length >= MINIMUM_ELEMENTS ? values : null
}

function notANumber(tensor: GraphTensor): Finding {
  return {
    code: 'constant-not-a-number',
    severity: 'warning',
    message: `"${tensor.name}" holds NaN, and so will the answers: the source is damaged`,
    where: tensor.name,
  }
}

function clipped(tensor: GraphTensor): Finding {
  return {
    code: 'values-beyond-float16',
    severity: 'warning',
    message: `"${tensor.name}" holds numbers beyond ±${FLOAT16_LARGEST}, which float16 cannot hold: they are clipped`,
    where: tensor.name,
  }
}
