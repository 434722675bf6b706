import { useState } from 'preact/hooks'
import { ask } from './api.ts'
import { useDoing } from './parts/dialog.tsx'
import { Field, Text } from './parts/fields.tsx'
import { ProblemNote } from './parts/notice.tsx'
import { Title } from './parts/title.tsx'
import type { Session } from './session.ts'

interface SignInProps {
  readonly why: string
  readonly onSession: (session: Session) => void
}

export function SignIn({ why, onSession }: SignInProps) {
  const [token, setToken] = useState('')
  const doing = useDoing()
  return (
    <main class="sign-in">
      <Title text="Sign in" />
      {why !== '' && (
        <div class="note warn" role="status">
          <p>{why}</p>
        </div>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          doing.run(async () => {
            const body = { token: token.trim() }
            onSession(await ask<Session>('/session', { method: 'POST', body }))
          })
        }}
      >
        <Field
          label="Operator’s token"
          hint={
            <>
              Beginning with <code>fitop1_</code>. An admin makes one with{' '}
              <code>fitment operators add</code>; on the planner’s own machine{' '}
              <code>fitment open</code> signs you in.
            </>
          }
        >
          <Text type="password" value={token} onText={setToken} required />
        </Field>
        <ProblemNote problem={doing.problem} />
        <div class="actions">
          <button type="submit" class="main" disabled={doing.isBusy || token.trim() === ''}>
            {doing.isBusy ? 'One moment …' : 'Sign in'}
          </button>
        </div>
      </form>
    </main>
  )
}
