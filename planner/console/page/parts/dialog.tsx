import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { type Problem, problemFrom } from '../api.ts'
import { ProblemNote } from './notice.tsx'

/** Something that is done once, with what came of it. */
export interface Doing {
  readonly isBusy: boolean
  readonly problem: Problem | undefined
  readonly run: (work: () => Promise<void>) => void
}

export function useDoing(): Doing {
  const [state, setState] = useState<{ isBusy: boolean; problem?: Problem }>({ isBusy: false })
  return {
    isBusy: state.isBusy,
    problem: state.problem,
    run(work) {
      setState({ isBusy: true })
      work().then(
        () => setState({ isBusy: false }),
        (error: unknown) => {
          const problem = problemFrom(error)
          setState({ isBusy: false, problem })
        },
      )
    },
  }
}

interface ActionProps {
  /** On the button. */
  readonly label: string
  readonly tone?: 'main' | 'bad'
  readonly disabled?: boolean
  /** What it will do, as a question's heading. */
  readonly title: string
  /** On the button that does it. */
  readonly verb: string
  readonly children?: ComponentChildren
  readonly act: () => Promise<void>
}

/** A button that says first what it will do, in a dialog, and does it there. */
export function Action({ label, tone, disabled, ...asked }: ActionProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" class={tone} disabled={disabled} onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && <Question {...asked} tone={tone} close={() => setOpen(false)} />}
    </>
  )
}

interface QuestionProps extends Pick<ActionProps, 'title' | 'verb' | 'children' | 'act'> {
  readonly tone: ActionProps['tone']
  readonly close: () => void
}

function Question({ title, verb, tone, children, act, close }: QuestionProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const doing = useDoing()
  const heading = useId()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          doing.run(async () => {
            await act()
            close()
          })
        }}
      >
        <h2 id={heading}>{title}</h2>
        {children}
        <ProblemNote problem={doing.problem} />
        <div class="actions">
          <button type="submit" class={tone ?? 'main'} disabled={doing.isBusy}>
            {doing.isBusy ? 'One moment …' : verb}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  )
}
