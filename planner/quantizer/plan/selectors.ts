import type { GraphOperator } from '../../formats/graph.ts'
import type { OperatorKind } from '../../formats/operator-kinds.ts'

/** Picks operators, to leave them in float (`-mixed`). */
export type OperatorSelector =
  | { readonly kind: OperatorKind }
  /** The operator's own name, exactly. */
  | { readonly name: string }
  | { readonly pattern: RegExp }
  | { readonly where: (operator: GraphOperator) => boolean }

export function selects(selector: OperatorSelector, operator: GraphOperator): boolean {
  if ('kind' in selector) return operator.kind === selector.kind
  if ('name' in selector) return operator.name === selector.name
  if ('pattern' in selector) return selector.pattern.test(operator.name)
  return selector.where(operator)
}
