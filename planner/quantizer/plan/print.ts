import { unreachable } from '../../../shared/errors.ts'
import type { Graph, Instruction, Plan, TensorId, Use } from '../../graph/index.ts'
import { printForm } from '../../graph/index.ts'

/** One line per instruction, one per finding: what a reviewer reads and a test compares. */
export function printPlan(plan: Plan, graph: Graph): string {
  const steps = plan.instructions.map((instruction) => printInstruction(instruction, graph))
  const notes = plan.findings.map((finding) => `${finding.severity}: ${finding.message}`)
  return [...steps, ...notes].join('\n')
}

export function printInstruction(instruction: Instruction, graph: Graph): string {
  const tensor = (id: TensorId) => `"${graph.tensors[id]?.name}"`
  const uses = (all: readonly Use[]) => all.map((use) => printUse(use, graph)).join(', ')
  switch (instruction.verb) {
    case 'store-constant':
      return `store ${tensor(instruction.tensor)} as ${printForm(instruction.form)} for ${uses(instruction.uses)}`
    case 'set-activation':
      return `make ${tensor(instruction.tensor)} ${printForm(instruction.form)}`
    case 'convert':
      return `convert ${tensor(instruction.tensor)} ${printForm(instruction.from)} → ${printForm(instruction.to)} for ${uses(instruction.uses)}`
    case 'add-bias':
      return `add a bias ${printForm(instruction.form)} to ${operatorLabel(graph, instruction.operator)}`
    case 'compute':
      return `compute ${operatorLabel(graph, instruction.operator)} as ${instruction.as}`
    default:
      return unreachable(instruction)
  }
}

export function printUse(use: Use, graph: Graph): string {
  return use.kind === 'output'
    ? `output ${use.position}`
    : `${operatorLabel(graph, use.operator)}.${use.position}`
}

export function operatorLabel(graph: Graph, id: number): string {
  const operator = graph.operators[id]
  return operator === undefined ? `operator ${id}` : `${operator.nativeKind} "${operator.name}"`
}
