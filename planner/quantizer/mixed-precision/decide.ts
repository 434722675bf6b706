import { formatRatio } from '../../../shared/units.ts'

/** A form of the model as it was measured in turns with float32. */
export interface MeasuredForm {
  /** Operators left in float; empty where all that can be is integer. */
  readonly inFloat: readonly string[]
  /** Its time over float32's. */
  readonly ratio: number
}

export type Decision =
  /** Place in the list that was given. */
  { readonly ship: number; readonly why: string } | { readonly ship: null; readonly why: string }

/** A mixture is less integer, so it has to be faster by more than measuring again would change. */
const WORTHWHILE = 0.95

/**
 * The integer form is the first of the list. It stays unless a mixture is clearly faster; nothing that is slower than
 * float32 is a choice. Pure.
 */
export function decide(forms: readonly [MeasuredForm, ...MeasuredForm[]]): Decision {
  const [integer, ...mixtures] = forms
  const best = mixtures.reduce<MeasuredForm | null>(
    (a, b) => (a === null || b.ratio < a.ratio ? b : a),
    null,
  )
  const takes = `everything on integers takes ${formatRatio(integer.ratio)} the time of float32 here`
  if (best !== null && best.ratio < Math.min(1, WORTHWHILE * integer.ratio)) {
    const why = `${takes}; with ${countOf(best.inFloat, 'operator')} in float it is ${formatRatio(best.ratio)}, the best of ${countOf(mixtures, 'mixed form')}`
    return { ship: forms.indexOf(best), why }
  }
  const others =
    best === null
      ? 'no operator is worth leaving in float'
      : `the best of ${countOf(mixtures, 'mixed form')} takes ${formatRatio(best.ratio)}`
  return { ship: integer.ratio < 1 ? 0 : null, why: `${takes}, and ${others}` }
}

function countOf({ length }: { readonly length: number }, what: string): string {
  return `${length} ${what}${length === 1 ? '' : 's'}`
}
