import { pathOf } from '../api.ts'
import { Choice, Field } from '../parts/fields.tsx'
import { useListPages } from '../parts/list-pages.ts'
import { Mark } from '../parts/mark.tsx'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { type ListColumn, WindowedTable } from '../parts/windowed-table.tsx'
import { Link, useQuery } from '../router.tsx'
import type { RolloutDetail, RolloutMember } from '../types.ts'

/** Every device that a wave has reached. */
export function Members({ rollout }: { readonly rollout: RolloutDetail }) {
  const [query, setQuery] = useQuery()
  const { state, wave } = query
  const list = useListPages<RolloutMember>(
    pathOf('rollouts', rollout.id, 'devices'),
    { state, wave },
    {
      on: ['devices', 'rollouts'],
      isAbout: ({ device }, moved) => moved.rollout === rollout.id || moved.device === device,
    },
  )
  const states = [...new Set(rollout.counts.map((row) => row.state))]
  const waves = [...new Set(rollout.counts.map((row) => String(row.wave)))]
  return (
    <section aria-labelledby="members">
      <h2 id="members">Devices</h2>
      <search class="filters">
        <Field label="State">
          <Choice
            value={state ?? ''}
            options={[['', 'any'], ...states]}
            onChoice={(value) => setQuery({ state: value })}
          />
        </Field>
        <Field label="Wave">
          <Choice
            value={wave ?? ''}
            options={[['', 'any'], ...waves]}
            onChoice={(value) => setQuery({ wave: value })}
          />
        </Field>
      </search>
      <ProblemNote problem={list.problem} />
      {list.total === 0 && <Empty>No wave has reached a device of that kind.</Empty>}
      {list.total !== undefined && list.total > 0 && (
        <WindowedTable
          label="Devices of the rollout"
          columns={COLUMNS}
          count={list.total}
          rowAt={list.rowAt}
          onSight={list.onSight}
        />
      )}
    </section>
  )
}

const COLUMNS: readonly ListColumn<RolloutMember>[] = [
  {
    head: 'Device',
    look: 'at-name',
    cell: ({ device, wave, error }) => (
      <>
        <Link to="device" named={{ device }}>
          {device}
        </Link>
        <span class="under">
          wave {wave}
          {error !== null && `: ${error}`}
        </span>
      </>
    ),
  },
  { head: 'State', look: 'at-state', cell: ({ state }) => <Mark state={state} /> },
  { head: 'Wave', look: 'at-wave', cell: ({ wave }) => wave },
  { head: 'Variant', look: 'at-class', cell: ({ scheme }) => scheme ?? '' },
  {
    head: 'Error',
    look: 'at-error',
    cell: ({ error }) => <span title={error ?? undefined}>{error ?? ''}</span>,
  },
  {
    head: 'Here',
    look: 'at-seen',
    cell: ({ online }) => (online ? 'online' : <span class="faint">offline</span>),
  },
]
