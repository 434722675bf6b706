import { useState } from 'preact/hooks'
import { formatBytes } from '../../../../shared/units.ts'
import { pathTo, withQuery } from '../../figures/place.ts'
import { moment } from '../../figures/wording.ts'
import { Choice, Field } from '../parts/fields.tsx'
import { Mark } from '../parts/mark.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { go, Link } from '../router.tsx'
import type { RevisionView } from '../types.ts'
import { Quality } from './models-page.tsx'

interface RevisionsProps {
  readonly model: string
  readonly revisions: readonly RevisionView[]
}

/** Every revision, newest first: whose it is, how good, and where it runs. */
export function Revisions({ model, revisions }: RevisionsProps) {
  return (
    <section aria-labelledby="revisions">
      <h2 id="revisions">Revisions</h2>
      <Table
        label="Revisions"
        rows={revisions}
        keyOf={({ revision }) => String(revision)}
        columns={columnsOf(model)}
      />
      {revisions.length > 1 && <Compare model={model} revisions={revisions} />}
    </section>
  )
}

function Compare({ model, revisions }: RevisionsProps) {
  const numbers = revisions.map(({ revision }) => String(revision))
  const [older, setOlder] = useState(numbers[1] ?? '')
  const [newer, setNewer] = useState(numbers[0] ?? '')
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        go(withQuery(pathTo('compare', { model }), { older, newer }))
      }}
    >
      <Field label="Compare revision">
        <Choice value={older} options={numbers} onChoice={setOlder} />
      </Field>
      <Field label="with revision">
        <Choice value={newer} options={numbers} onChoice={setNewer} />
      </Field>
      <button type="submit">Compare</button>
    </form>
  )
}

function columnsOf(model: string): readonly Column<RevisionView>[] {
  return [
    {
      head: 'Revision',
      cell: ({ revision, tags }) => (
        <>
          <Link to="model" named={{ model }} query={{ revision: String(revision) }}>
            r{revision}
          </Link>{' '}
          {tags.map((tag) => (
            <span key={tag} class="chip">
              {tag}
            </span>
          ))}
        </>
      ),
    },
    {
      head: 'State',
      cell: ({ inUse, prunedAt, intent }) =>
        inUse ? (
          <Mark state="in use" />
        ) : (
          <span class="faint">{prunedAt === null ? intent : 'pruned'}</span>
        ),
    },
    { head: 'Float', number: true, cell: (revision) => <Quality model={revision} /> },
    { head: 'Size', number: true, wide: true, cell: ({ bytes }) => formatBytes(bytes) },
    { head: 'Variants', number: true, wide: true, cell: ({ variants }) => variants },
    {
      head: 'Devices',
      number: true,
      cell: ({ devices, revision }) => (
        <Link to="fleet" query={{ model, revision: String(revision) }}>
          {devices}
        </Link>
      ),
    },
    { head: 'By', wide: true, cell: ({ by }) => by },
    { head: 'Registered (UTC)', wide: true, cell: ({ registeredAt }) => moment(registeredAt) },
    { head: 'Note', wide: true, cell: ({ note }) => <span class="cell-name">{note ?? ''}</span> },
  ]
}
