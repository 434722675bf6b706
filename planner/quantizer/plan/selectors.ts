import type { GraphOperator } from '../../graph/index.ts'
import { OPERATOR_KINDS, type OperatorKind } from '../../graph/index.ts'

/** Picks operators, to leave them in float (`-mixed`). */
export type OperatorSelector =
  | { readonly kind: OperatorKind }
  /** What the format calls its kind, e.g. `CONV_2D`, in any case. */
  | { readonly nativeKind: string }
  /** The operator's own name, exactly. */
  | { readonly name: string }
  | { readonly pattern: RegExp }
  | { readonly where: (operator: GraphOperator) => boolean; readonly because?: string }

export function selects(selector: OperatorSelector, operator: GraphOperator): boolean {
  if ('kind' in selector) return operator.kind === selector.kind
  if ('nativeKind' in selector) {
    return operator.nativeKind.toLowerCase() === selector.nativeKind.toLowerCase()
  }
  if ('name' in selector) return operator.name === selector.name
  if ('pattern' in selector) return selector.pattern.test(operator.name)
  return selector.where(operator)
}

/** Why an operator stays in float; null where no selector picks it. */
export function whyKept(
  operator: GraphOperator,
  selectors: readonly OperatorSelector[],
): string | null {
  const found = selectors.find((selector) => selects(selector, operator))
  if (found === undefined) return null
  return ('because' in found ? found.because : undefined) ?? 'as you asked'
}

/** `kind:softmax`, `kind:CONV_2D`, `pattern:REGEX`, or an operator's name; a string says what is wrong with it. */
export function parseSelector(text: string): OperatorSelector | string {
  const [, form, rest = ''] = /^(kind|pattern):(.*)$/s.exec(text) ?? []
  if (text === '' || (form !== undefined && rest === '')) {
    return 'a selector is empty: give a name, kind:softmax or pattern:^head/'
  }
  if (form === 'kind') return isKind(rest) ? { kind: rest } : { nativeKind: rest }
  if (form === undefined) return { name: text }
  try {
    return { pattern: new RegExp(rest) }
  } catch {
    return `"${rest}" is no regular expression`
  }
}

/** As a person would write it. */
export function printSelector(selector: OperatorSelector): string {
  if ('kind' in selector) return `kind:${selector.kind}`
  if ('nativeKind' in selector) return `kind:${selector.nativeKind}`
  if ('name' in selector) return selector.name
  return 'pattern' in selector ? `pattern:${selector.pattern.source}` : 'a condition'
}

function isKind(text: string): text is OperatorKind {
  return (OPERATOR_KINDS as readonly string[]).includes(text)
}
