import { useEffect, useState } from 'preact/hooks'
import { ask, type ListOf, Problem } from '../api.ts'
import { live } from '../live.ts'
import { Field, Text } from '../parts/fields.tsx'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { AuditList } from '../types.ts'
import { AuditTable } from './audit-table.tsx'

type Entry = AuditList['items'][number]
const PAGE_SIZE = 100

export function AuditPage() {
  const may = useMay()
  return (
    <>
      <Title text="Audit" beside={<p class="faint">who did what, newest first</p>} />
      {may('admin') ? (
        <Entries />
      ) : (
        <Empty>The audit is for admins: your role does not show it.</Empty>
      )}
    </>
  )
}

const FILTERS = [
  ['subject', 'On', 'a device, model or class'],
  ['actor', 'Who', 'operator:ada'],
  ['action', 'What', 'rollout.start'],
] as const

function Entries() {
  const [query, setQuery] = useQuery()
  const { subject, actor, action } = query
  const list = useGrowing({ subject, actor, action })
  return (
    <>
      <search class="filters">
        {FILTERS.map(([key, label, example]) => (
          <Field key={key} label={label} grow>
            <Text
              type="search"
              value={query[key] ?? ''}
              placeholder={example}
              onText={(text) => setQuery({ [key]: text })}
            />
          </Field>
        ))}
      </search>
      <ProblemNote problem={list.problem} />
      {list.entries === undefined && !list.problem && (
        <p class="waiting-for">Loading the audit …</p>
      )}
      {list.entries?.length === 0 && <Empty>Nothing of that kind was ever done.</Empty>}
      {list.entries && list.entries.length > 0 && <AuditTable entries={list.entries} />}
      {list.next !== null && (
        <div class="actions">
          <button type="button" onClick={list.more}>
            Older ones
          </button>
        </div>
      )}
    </>
  )
}

interface Growing {
  readonly entries: readonly Entry[] | undefined
  readonly next: string | null
  readonly problem: Problem | undefined
  readonly more: () => void
}

interface State {
  readonly entries?: readonly Entry[]
  readonly next: string | null
  readonly problem?: Problem
}

/** The newest, and older ones as they are asked for. What happens meanwhile is read at the top again. */
function useGrowing(query: Readonly<Record<string, string | undefined>>): Growing {
  const [state, setState] = useState<State>({ next: null })
  const [round, setRound] = useState(0)
  const load = (cursor?: string) =>
    ask<ListOf<Entry>>('/audit', { query: { ...query, cursor, limit: PAGE_SIZE } }).then(
      ({ items, next }) =>
        setState((before) => ({
          entries: cursor === undefined ? items : [...(before.entries ?? []), ...items],
          next,
        })),
      (error: unknown) => {
        if (error instanceof Problem) setState((before) => ({ ...before, problem: error }))
      },
    )
  useEffect(() => {
    const timer = setTimeout(() => void load(), 200)
    return () => clearTimeout(timer)
  }, [JSON.stringify(query), round])
  useEffect(() => {
    return live.listen(['models', 'rollouts', 'keys'], () => setRound((before) => before + 1))
  }, [])
  return {
    entries: state.entries,
    next: state.next,
    problem: state.problem,
    more: () => void load(state.next ?? undefined),
  }
}
