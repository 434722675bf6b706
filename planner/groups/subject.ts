import type { FACT_NAMES, Labels } from '../../shared/labels.ts'
import { baseClass } from '../../shared/trust/index.ts'

/** What a selector may ask of a device. */
export interface Subject {
  readonly device: string
  readonly class: string | null
  readonly online: boolean
  readonly agentVersion: string
  readonly runtimes: readonly string[]
  readonly board: string
  readonly labels: Labels
}

interface Fact {
  /** A device may have several; none where it is not known. */
  of(subject: Subject): readonly string[]
  /** All that it can be, where these are few. */
  readonly known?: readonly string[]
}

/** What the fleet knows of a device by itself, by the key that selectors call it. */
export const FACTS: Readonly<Record<string, Fact>> = {
  device: { of: ({ device }) => [device] },
  // Engines make classes of their own: who names the board means all of them.
  class: {
    of: (subject) => (subject.class === null ? [] : [subject.class, baseClass(subject.class)]),
  },
  state: { of: ({ online }) => [online ? 'online' : 'offline'], known: ['online', 'offline'] },
  agent: { of: ({ agentVersion }) => [agentVersion] },
  runtime: { of: ({ runtimes }) => runtimes },
  board: { of: ({ board }) => [board.replace(/[^\w.+/:-]/g, '-')] },
} satisfies Record<(typeof FACT_NAMES)[number], Fact>

/** Its values of a key: of a fact, else of the label of that name. */
export function valuesOf(subject: Subject, key: string): readonly string[] {
  const fact = Object.hasOwn(FACTS, key) ? FACTS[key] : undefined
  if (fact !== undefined) return fact.of(subject)
  const value = Object.hasOwn(subject.labels, key) ? subject.labels[key] : undefined
  return value === undefined ? [] : [value]
}
