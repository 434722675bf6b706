import type { OnnxNode } from '../../onnx/index.ts'
import { operatorName, readsOf } from '../../onnx/source.ts'
import { OnnxImportError, Refusal } from './errors.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { LoweringRow } from './lowering.ts'
import { loopRow } from './lowerings/loops.ts'
import { REFUSED } from './lowerings/refused.ts'
import { LOWERINGS } from './lowerings/table.ts'

/** With what lowers graphs inside nodes. */
const ROWS: Readonly<Record<string, LoweringRow>> = { ...LOWERINGS, Loop: loopRow(lowerNodes) }

interface Obstacle {
  readonly operator: string
  readonly reason: string
  readonly node: string
}

/** Says all nodes in operators of the builder. @throws OnnxImportError naming every operator in the way */
export function lowerNodes(graph: GraphBuilder, nodes: readonly OnnxNode[]): void {
  const obstacles: Obstacle[] = []
  /** Values that a refused node would have made: whoever reads them is judged by its name alone. */
  const missing = new Set<string>()
  for (const node of nodes) {
    const operator = operatorName(node)
    const isBehind = readsOf(node).some((name) => missing.has(name))
    const reason = isBehind ? unknownOperator(operator) : lowered(graph, node, operator)
    if (reason === null && !isBehind) continue
    node.output.forEach(missing.add, missing)
    if (reason !== null) obstacles.push({ operator, reason, node: labelOf(node) })
  }
  if (obstacles.length === 0) return
  throw new OnnxImportError('unsupported-operator', sentence(obstacles), {
    operators: [...new Set(obstacles.map(({ operator }) => operator))],
    obstacles,
  })
}

function labelOf({ name, output }: OnnxNode): string {
  return name || (output.find(Boolean) ?? '')
}

function unknownOperator(operator: string): string | null {
  return operator in ROWS ? null : (REFUSED[operator] ?? 'no equivalent')
}

/** Why it cannot be; null where it was. */
function lowered(graph: GraphBuilder, node: OnnxNode, operator: string): string | null {
  const row = ROWS[operator]
  if (row === undefined) return unknownOperator(operator)
  try {
    const broken = row.constraints
      .map((constraint) => constraint(node, graph))
      .find((reason) => reason !== null)
    if (broken !== undefined) return broken
    row.lower(node, graph)
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** Names the operators, each with the first reason that stands in its way. */
function sentence(obstacles: readonly Obstacle[]): string {
  const first = new Map<string, Obstacle>()
  for (const obstacle of obstacles)
    if (!first.has(obstacle.operator)) first.set(obstacle.operator, obstacle)
  const parts = [...first.values()].map(
    ({ operator, reason, node }) => `${operator} "${node}" (${reason})`,
  )
  return `the model cannot become .tflite: ${parts.join(', ')}; devices get it through ONNX Runtime only`
}
