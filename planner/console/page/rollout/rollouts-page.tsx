import { waveTexts } from '../../figures/wave-progress.ts'
import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { Choice, Field } from '../parts/fields.tsx'
import { Mark } from '../parts/mark.tsx'
import { Answer, Empty } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Title } from '../parts/title.tsx'
import { Link, useQuery } from '../router.tsx'
import type { ModelList, RolloutList, RolloutSummary } from '../types.ts'
import { WaveBar } from './wave-bars.tsx'

const STATES = ['running', 'awaiting-approval', 'paused', 'done', 'aborted', 'superseded'] as const

export function RolloutsPage() {
  const [{ model, state }] = useQuery()
  const asked = useAnswer<RolloutList>('/rollouts', {
    query: { model, state, limit: 100 },
    on: ['rollouts', 'devices'],
  })
  return (
    <>
      <Title text="Rollouts" />
      <RolloutFilters />
      <Answer of={asked} what="rollouts">
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              <p>
                No rollout {model || state ? 'of that kind' : 'yet'}. One begins on a model’s page.
              </p>
              <Link to="models">Models</Link>
            </Empty>
          ) : (
            <Table label="Rollouts" rows={items} keyOf={({ id }) => id} columns={COLUMNS} />
          )
        }
      </Answer>
    </>
  )
}

function RolloutFilters() {
  const [query, setQuery] = useQuery()
  const models = useAnswer<ModelList>('/models', { query: { limit: 500 } })
  return (
    <search class="filters">
      <Field label="Model">
        <Choice
          value={query.model ?? ''}
          options={[['', 'any'], ...(models.value?.items ?? []).map(({ name }) => name)]}
          onChoice={(model) => setQuery({ model })}
        />
      </Field>
      <Field label="State">
        <Choice
          value={query.state ?? ''}
          options={[['', 'any'], ...STATES]}
          onChoice={(state) => setQuery({ state })}
        />
      </Field>
    </search>
  )
}

const COLUMNS: readonly Column<RolloutSummary>[] = [
  {
    head: 'Rollout',
    cell: ({ id, model, revision, class: of }) => (
      <>
        <Link to="rollout" named={{ rollout: id }}>
          {model} r{revision}
        </Link>
        <br />
        <span class="faint">{of}</span>
      </>
    ),
  },
  { head: 'State', cell: ({ state }) => <Mark state={state} /> },
  {
    head: 'Wave',
    number: true,
    wide: true,
    cell: ({ wave, waves }) => `${wave} of ${waveTexts(waves).length}`,
  },
  { head: 'Devices', cell: (rollout) => <WaveBar rollout={rollout} /> },
  {
    head: 'Variant',
    wide: true,
    cell: ({ scheme, runtime }) => (
      <>
        {scheme} <span class="faint">{runtime}</span>
      </>
    ),
  },
  { head: 'Moved (UTC)', wide: true, cell: ({ updatedAt }) => moment(updatedAt) },
]
