import { useState } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import { ask, pageProblem, pathOf } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Field } from '../parts/fields.tsx'
import { Mark } from '../parts/mark.tsx'
import { Answer, Empty } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { Title } from '../parts/title.tsx'
import { useMay } from '../session.ts'
import type { BatchList, Keys } from '../types.ts'

export function KeysPage() {
  const batches = useAnswer<BatchList>('/keys/batches', { on: ['keys'] })
  const keys = useAnswer<Keys>('/keys', { on: ['keys'] })
  const may = useMay()
  return (
    <>
      <Title text="Keys" actions={may('admin') ? <Submit again={batches.again} /> : undefined} />
      <section aria-labelledby="waiting">
        <h2 id="waiting">What waits for a signature</h2>
        <Answer of={batches} what="what waits">
          {({ items }) =>
            items.length === 0 ? (
              <p class="faint">
                Nothing waits: everything that was drafted is signed and published.
              </p>
            ) : (
              items.map((batch) => <Batch key={batch.batch} batch={batch} again={batches.again} />)
            )
          }
        </Answer>
      </section>
      <Answer of={keys} what="keys">
        {(value) => <AllKeys keys={value} />}
      </Answer>
    </>
  )
}

interface BatchProps {
  readonly batch: BatchList['items'][number]
  readonly again: () => void
}

function Batch({ batch: { batch, what, lines, state }, again }: BatchProps) {
  const may = useMay()
  return (
    <article class="card">
      <header>
        <h3>{what}</h3>
        <Mark state={state} />
      </header>
      <ul class="lines">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p>
        Take the draft to the machine that has the key, sign it there with{' '}
        <code>fitment keys sign</code>, and bring the signatures back here.
      </p>
      <div class="actions">
        <button type="button" onClick={() => void download(batch)}>
          Download the draft
        </button>
        {may('admin') && (
          <Action
            label="Drop"
            tone="bad"
            title={`Drop “${what}”?`}
            verb="Drop"
            act={async () => {
              await ask(pathOf('keys', 'batches', batch), { method: 'DELETE' })
              again()
            }}
          >
            <p>A release is drafted anew by itself; a change of keys must be asked for again.</p>
          </Action>
        )}
      </div>
    </article>
  )
}

/** As a file, for a machine that has no network. */
async function download(batch: string): Promise<void> {
  const draft = await ask<unknown>(pathOf('keys', 'batches', batch))
  const file = new Blob([`${JSON.stringify(draft, null, 2)}\n`], { type: 'application/json' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `batch-${batch}.json`
  link.click()
  URL.revokeObjectURL(link.href)
}

function Submit({ again }: { readonly again: () => void }) {
  const [file, setFile] = useState<File>()
  return (
    <Action
      label="Hand in signatures"
      title="Hand in signatures"
      verb="Hand in"
      act={async () => {
        await ask('/keys/signatures', { method: 'POST', body: { signatures: await parsed(file) } })
        again()
      }}
    >
      <p>What is complete with them is published at once.</p>
      <Field label="File" hint="As fitment keys sign wrote it.">
        <input
          type="file"
          accept=".json"
          required
          onChange={(event) => setFile(event.currentTarget.files?.[0])}
        />
      </Field>
    </Action>
  )
}

/** @throws Problem where it is no JSON */
async function parsed(file: File | undefined): Promise<unknown> {
  try {
    return JSON.parse((await file?.text()) ?? '')
  } catch {
    throw pageProblem('The file is not JSON: choose the one that fitment keys sign wrote.')
  }
}

function AllKeys({ keys: { anchor, keys, roles } }: { readonly keys: Keys }) {
  return (
    <>
      <section aria-labelledby="keys">
        <header>
          <h2 id="keys">Keys</h2>
          <p class="faint">
            anchor of trust <code class="cell-name">{anchor}</code>
          </p>
        </header>
        <Table
          label="Keys"
          rows={keys}
          keyOf={({ name }) => name}
          columns={[
            { head: 'Key', cell: ({ name }) => name },
            { head: 'Private part', cell: ({ kept }) => KEPT[kept] ?? kept },
            { head: 'Signs', cell: ({ signs }) => signs.join(', ') || 'nothing' },
            { head: 'Id', wide: true, cell: ({ keyId }) => <code>{keyId.slice(0, 16)}</code> },
          ]}
        />
      </section>
      <section aria-labelledby="roles">
        <h2 id="roles">Roles</h2>
        {roles.length === 0 ? (
          <Empty>No roles yet.</Empty>
        ) : (
          <Table
            label="Roles"
            rows={roles}
            keyOf={({ repository, role }) => `${repository} ${role}`}
            columns={[
              { head: 'Role', cell: ({ repository, role }) => `${repository} ${role}` },
              { head: 'Signatures it takes', number: true, cell: ({ threshold }) => threshold },
              { head: 'Of', cell: (role) => role.keys.join(', ') },
            ]}
          />
        )}
      </section>
    </>
  )
}

const KEPT: Readonly<Record<string, string>> = {
  plain: 'on this machine',
  sealed: 'on this machine, behind a passphrase',
  elsewhere: 'elsewhere',
}
