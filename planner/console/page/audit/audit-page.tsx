import { useRef, useState } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import { ask, type Problem, problemFrom, type Query } from '../api.ts'
import { Field, Slowly } from '../parts/fields.tsx'
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
            <Slowly
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

/** What was asked for behind one newest entry, and is of no other. */
interface Older {
  readonly behind: string | undefined
  readonly entries: readonly Entry[]
  readonly next: string | null
  readonly problem: Problem | undefined
}

/** The newest, and older ones as they are asked for. What happens meanwhile is read at the top again. */
function useGrowing(filters: Query): Growing {
  const query = { ...filters, limit: PAGE_SIZE }
  const { value, problem } = useAnswer<AuditList>('/audit', {
    query,
    on: ['models', 'rollouts', 'keys'],
  })
  const behind = value && JSON.stringify([filters, value.items[0]?.seq])
  const newest = useRef(behind)
  newest.current = behind
  const [state, setState] = useState<Older>()
  const none: Older = { behind, entries: [], next: value?.next ?? null, problem: undefined }
  const older = state?.behind === behind ? (state ?? none) : none
  const more = async () => {
    const become = (change: Partial<Older>) => {
      // By now something newer was done, or something else is asked about.
      if (newest.current === behind) setState({ ...older, ...change })
    }
    try {
      const cursor = older.next ?? undefined
      const { items, next } = await ask<AuditList>('/audit', { query: { ...query, cursor } })
      become({ entries: [...older.entries, ...items], next, problem: undefined })
    } catch (error) {
      become({ problem: problemFrom(error) })
    }
  }
  return {
    entries: value && [...value.items, ...older.entries],
    next: older.next,
    problem: problem ?? older.problem,
    more: () => void more(),
  }
}
