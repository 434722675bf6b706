import { useEffect, useState } from 'preact/hooks'
import { ago, count, counted } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import type { Query } from '../api.ts'
import type { EventKind } from '../live.ts'
import { useListPages } from '../parts/list-pages.ts'
import { Mark } from '../parts/mark.tsx'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { type ListColumn, WindowedTable } from '../parts/windowed-table.tsx'
import { Link, useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { DeviceList, DeviceRow } from '../types.ts'
import { FleetFilters } from './fleet-filters.tsx'
import { Invite } from './invite.tsx'
import { Labels } from './labels.tsx'

export function FleetPage() {
  const [query] = useQuery()
  const may = useMay()
  const asked: Query = {
    ...{ q: query.q, class: query.class, where: query.where, state: query.state },
    ...{ health: query.health, model: query.model, revision: query.revision },
    ...(query.all === 'true' && { all: true }),
  }
  const isFiltered = Object.values(asked).some((value) => value !== undefined && value !== '')
  const list = useListPages<DeviceRow>('/devices', asked, {
    on: ['devices', 'alarms'],
    isAbout: ({ id }, { device }) => device === id,
  })
  return (
    <>
      <Title text="Fleet" beside={<Summary />} actions={may('operator') ? <Invite /> : undefined} />
      <FleetFilters total={isFiltered ? list.total : undefined} />
      <ProblemNote problem={list.problem} />
      <Devices list={list} isFiltered={isFiltered} />
    </>
  )
}

interface DevicesProps {
  readonly list: ReturnType<typeof useListPages<DeviceRow>>
  readonly isFiltered: boolean
}

function Devices({ list: { total, problem, rowAt, onSight }, isFiltered }: DevicesProps) {
  const now = useMinute()
  if (total === undefined) {
    return problem ? null : <p class="waiting-for">Loading devices …</p>
  }
  if (total === 0) return isFiltered ? <NobodyMatches /> : <NobodyYet />
  return (
    <WindowedTable
      label="Devices"
      columns={columnsAt(now)}
      count={total}
      rowAt={rowAt}
      onSight={onSight}
    />
  )
}

function NobodyMatches() {
  return (
    <Empty>
      <p>No device meets these filters.</p>
      <Link to="fleet">Show all</Link>
    </Empty>
  )
}

function NobodyYet() {
  return (
    <Empty>
      <p>
        No device has joined yet. Invite one here, or with <code>fitment devices invite</code>, and
        start its agent with the token.
      </p>
    </Empty>
  )
}

function useTotal(query: Query, on: readonly EventKind[]): number | null | undefined {
  return useAnswer<DeviceList>('/devices', { query: { ...query, limit: 1 }, on }).value?.total
}

/** How many there are, how many are here, and how many call for somebody. */
function Summary() {
  const all = useTotal({}, ['devices'])
  const online = useTotal({ state: 'online' }, ['devices'])
  const alarmed = useTotal({ health: 'alarm' }, ['devices', 'alarms'])
  if (all == null) return null
  return (
    <p class="faint">
      {counted(all, 'device')} · {count(online ?? 0)} online
      {alarmed ? (
        <>
          {' · '}
          <Link to="fleet" query={{ health: 'alarm' }}>
            {count(alarmed)} with alarms
          </Link>
        </>
      ) : (
        ' · no alarm'
      )}
    </p>
  )
}

function columnsAt(now: number): readonly ListColumn<DeviceRow>[] {
  return [
    { head: 'Device', look: 'at-name', cell: (row) => <Name row={row} /> },
    { head: 'State', look: 'at-state', cell: (row) => <State row={row} /> },
    { head: 'Class', look: 'at-class', cell: (row) => row.class ?? 'none yet' },
    { head: 'Board', look: 'at-board', cell: ({ board }) => board },
    { head: 'Runs', look: 'at-runs', cell: (row) => <Runs row={row} /> },
    { head: 'Labels', look: 'at-labels', cell: ({ labels }) => <Labels labels={labels} /> },
    {
      head: 'Seen',
      look: 'at-seen',
      cell: ({ online, lastSeen }) => (online ? 'now' : ago(lastSeen, now)),
    },
  ]
}

function Name({ row: { id, class: of, installed } }: { readonly row: DeviceRow }) {
  const active = installed.find((slot) => slot.active)
  return (
    <>
      <Link to="device" named={{ device: id }}>
        {id}
      </Link>
      <span class="under">
        {of ?? 'no class yet'}
        {active && ` · ${active.model} ${active.revision ?? ''}`}
      </span>
    </>
  )
}

function State({ row: { online, revoked, retired, alarms } }: { readonly row: DeviceRow }) {
  if (retired) return <Mark state="retired" />
  if (revoked) return <Mark state="shut out" />
  if (alarms > 0) return <Mark state="raised" words={alarms === 1 ? 'alarm' : `${alarms} alarms`} />
  return <Mark state={online ? 'online' : 'offline'} />
}

function Runs({ row: { installed } }: { readonly row: DeviceRow }) {
  const active = installed.filter((slot) => slot.active)
  if (active.length === 0) return <span class="faint">nothing</span>
  return (
    <>
      {active
        .map(({ model, revision, scheme }) =>
          [model, ...(revision === null ? [] : [`r${revision}`]), scheme ?? '?'].join(' '),
        )
        .join(', ')}
    </>
  )
}

const MINUTE_MS = 60_000

/** Times that are told as "ago" grow. */
function useMinute(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
