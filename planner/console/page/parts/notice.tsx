import type { ComponentChildren } from 'preact'
import type { Answered } from '../answers.ts'
import type { Problem } from '../api.ts'

export function ProblemNote({ problem }: { readonly problem: Problem | undefined }) {
  if (!problem) return null
  return (
    <div class="note bad" role="alert">
      <p>{problem.message}</p>
    </div>
  )
}

interface AnswerProps<T> {
  readonly of: Answered<T>
  /** What is being waited for, said while nothing is here yet. */
  readonly what: string
  readonly children: (value: T) => ComponentChildren
}

/** What was answered, else that it is on its way, else why it is not. */
export function Answer<T>({ of: { value, problem }, what, children }: AnswerProps<T>) {
  if (value !== undefined) return <>{children(value)}</>
  if (problem) return <ProblemNote problem={problem} />
  return <p class="waiting-for">Loading {what} …</p>
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="empty">{children}</div>
}

interface FactProps {
  readonly term: string
  readonly large?: boolean
  readonly children: ComponentChildren
}

export function Fact({ term, large, children }: FactProps) {
  return (
    <div>
      <dt>{term}</dt>
      <dd class={large ? 'large' : undefined}>{children}</dd>
    </div>
  )
}

/** What is not known is said by a dash, and by a word to those who hear the page. */
export function Unknown() {
  return (
    <span class="faint">
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">not known</span>
    </span>
  )
}

export function known(value: number | null, print: (value: number) => string) {
  return value === null ? <Unknown /> : print(value)
}
