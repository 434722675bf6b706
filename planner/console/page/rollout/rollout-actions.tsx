import { useState } from 'preact/hooks'
import { pathTo, withQuery } from '../../figures/place.ts'
import { ask, pathOf } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Field, Text, Tick } from '../parts/fields.tsx'
import { go } from '../router.tsx'
import type { RolloutDetail } from '../types.ts'

type Step = 'pause' | 'resume' | 'approve' | 'abort'

/** What an operator can do in each state; the planner has the last word. */
const POSSIBLE: Readonly<Record<string, readonly Step[]>> = {
  running: ['pause', 'abort'],
  'awaiting-approval': ['approve', 'pause', 'abort'],
  paused: ['resume', 'abort'],
  done: ['pause', 'abort'],
}

interface RolloutActionsProps {
  readonly rollout: RolloutDetail
  readonly again: () => void
}

export function RolloutActions({ rollout, again }: RolloutActionsProps) {
  const possible = POSSIBLE[rollout.state] ?? []
  const act =
    (step: Step, body: Readonly<Record<string, unknown>> = {}) =>
    async () => {
      const path = pathOf('models', rollout.model, 'rollout', step)
      await ask(path, { method: 'POST', body: { class: rollout.class, ...body } })
      again()
    }
  return (
    <>
      {possible.includes('approve') && (
        <Action
          label="Approve"
          tone="main"
          title="Open the next wave?"
          verb="Approve"
          act={act('approve')}
        >
          <p>Wave {rollout.wave} passed its gates. The next one begins.</p>
        </Action>
      )}
      {possible.includes('pause') && (
        <Action label="Pause" title="Pause this rollout?" verb="Pause" act={act('pause')}>
          <p>Devices that were told go on; nobody else is told until it is resumed.</p>
        </Action>
      )}
      {possible.includes('resume') && <Resume act={act} />}
      {possible.includes('abort') && (
        <Action
          label="Abort"
          tone="bad"
          title="Abort this rollout?"
          verb="Abort"
          act={act('abort')}
        >
          <p>
            It is over for this class.{' '}
            {rollout.revert
              ? 'Devices get back what they had before.'
              : 'Devices keep what they got.'}
          </p>
        </Action>
      )}
      <RollBack model={rollout.model} />
    </>
  )
}

interface ResumeProps {
  readonly act: (step: Step, body: Readonly<Record<string, unknown>>) => () => Promise<void>
}

function Resume({ act }: ResumeProps) {
  const [retry, setRetry] = useState(false)
  return (
    <Action
      label="Resume"
      tone="main"
      title="Resume this rollout?"
      verb="Resume"
      act={act('resume', { retry })}
    >
      <p>The wave goes on where it stopped.</p>
      <Tick label="Devices that failed try once more" checked={retry} onTick={setRetry} />
    </Action>
  )
}

function RollBack({ model }: { readonly model: string }) {
  const [to, setTo] = useState('')
  return (
    <Action
      label="Roll back"
      tone="bad"
      title={`Roll ${model} back?`}
      verb="Roll back"
      act={async () => {
        const body = { wait: false, ...(to !== '' && { to: Number(to) }) }
        await ask(pathOf('models', model, 'rollback'), { method: 'POST', body })
        go(withQuery(pathTo('rollouts'), { model }))
      }}
    >
      <p>
        Every class gets an earlier revision at once, in one wave. Nothing is built or measured
        again.
      </p>
      <Field label="To revision" hint="Empty: the one that was rolled out before.">
        <Text type="number" value={to} onText={setTo} />
      </Field>
    </Action>
  )
}
