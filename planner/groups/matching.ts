import { AppError } from '../../shared/errors.ts'
import { matches, printSelector, type Selector } from './selector.ts'
import { type Subject, valuesOf } from './subject.ts'

/** Values shown of one key before the rest is counted. */
const MOST_SHOWN = 12

export class SelectorError extends AppError {
  readonly code = 'matches-nobody'
}

/** @throws SelectorError saying which term it is that nobody meets, and what there is in its place */
export function requireMatches<T extends Subject>(
  selector: Selector,
  subjects: readonly T[],
): readonly T[] {
  const found = subjects.filter((subject) => matches(selector, subject))
  if (found.length > 0) return found
  throw new SelectorError(
    `"${printSelector(selector)}" matches none of ${subjects.length} devices: ${whyNobody(selector, subjects)}`,
  )
}

function whyNobody(selector: Selector, subjects: readonly Subject[]): string {
  const alone = selector.find((term) => !subjects.some((subject) => matches([term], subject)))
  if (alone === undefined) return 'each of its terms alone matches some, together they match none'
  const values = [...new Set(subjects.flatMap((subject) => valuesOf(subject, alone.key)))].sort()
  if (values.length === 0) {
    return `none has ${alone.key}; fitment devices shows the labels there are`
  }
  const more = values.length > MOST_SHOWN ? ` and ${values.length - MOST_SHOWN} more` : ''
  return `of ${alone.key} there are ${values.slice(0, MOST_SHOWN).join(', ')}${more}`
}
