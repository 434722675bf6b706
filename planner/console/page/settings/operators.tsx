import { useState } from 'preact/hooks'
import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { ask, pathOf } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Choice, Field, Text } from '../parts/fields.tsx'
import { Mark } from '../parts/mark.tsx'
import { Answer, Empty } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { ROLES } from '../session.ts'
import type { NewOperator, Operators as OperatorList } from '../types.ts'

export function Operators() {
  const asked = useAnswer<OperatorList>('/operators', { query: { limit: 500 } })
  return (
    <section aria-labelledby="operators">
      <header>
        <h2 id="operators">Operators</h2>
        <AddOperator again={asked.again} />
      </header>
      <Answer of={asked} what="operators">
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nobody has a token yet.</Empty>
          ) : (
            <OperatorTable operators={items} again={asked.again} />
          )
        }
      </Answer>
    </section>
  )
}

interface OperatorTableProps {
  readonly operators: OperatorList['items']
  readonly again: () => void
}

function OperatorTable({ operators, again }: OperatorTableProps) {
  return (
    <Table
      label="Operators"
      rows={operators}
      keyOf={({ name, createdAt }) => `${name} ${createdAt}`}
      columns={[
        { head: 'Operator', cell: ({ name }) => <span class="cell-name">{name}</span> },
        { head: 'Role', cell: ({ role }) => role },
        { head: 'Token', cell: ({ state }) => <Mark state={state} /> },
        { head: 'Made by', wide: true, cell: ({ createdBy }) => createdBy },
        {
          head: 'Until (UTC)',
          wide: true,
          cell: ({ expiresAt }) => (expiresAt === null ? 'revoked' : moment(expiresAt)),
        },
        {
          head: 'Revoke',
          cell: ({ name, state }) =>
            state === 'good' ? (
              <Action
                label="Revoke"
                tone="bad"
                title={`Revoke every token of ${name}?`}
                verb="Revoke"
                act={async () => {
                  await ask(pathOf('operators', name), { method: 'DELETE' })
                  again()
                }}
              >
                <p>Open pages of {name} are signed out with their next question.</p>
              </Action>
            ) : null,
        },
      ]}
    />
  )
}

function AddOperator({ again }: { readonly again: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState('viewer')
  const [days, setDays] = useState('90')
  const [token, setToken] = useState<string>()
  return (
    <>
      <Action
        label="Add"
        title="Add an operator"
        verb="Make a token"
        act={async () => {
          const body = { name, role, days: days === '' ? null : Number(days) }
          const made = await ask<NewOperator>('/operators', { method: 'POST', body })
          setToken(made.token)
          again()
        }}
      >
        <Field label="Name">
          <Text value={name} onText={setName} required maxLength={64} />
        </Field>
        <Field
          label="Role"
          hint="Viewers read; operators roll out; admins also make keys and operators."
        >
          <Choice value={role} options={ROLES} onChoice={setRole} />
        </Field>
        <Field label="Days" hint="Empty: until it is revoked.">
          <Text type="number" value={days} onText={setDays} />
        </Field>
      </Action>
      {token !== undefined && (
        <div class="note good" role="status">
          <p>The token of {name}, shown this once:</p>
          <pre>{token}</pre>
        </div>
      )}
    </>
  )
}
