import { moment } from '../../figures/wording.ts'
import { Table } from '../parts/table.tsx'
import type { AuditList } from '../types.ts'

export function AuditTable({ entries }: { readonly entries: AuditList['items'] }) {
  return (
    <Table
      label="Audit"
      rows={entries}
      keyOf={({ seq }) => String(seq)}
      columns={[
        { head: 'When (UTC)', cell: ({ at }) => moment(at) },
        { head: 'Who', cell: ({ actor }) => <span class="cell-name">{actor}</span> },
        { head: 'What', cell: ({ action }) => <code>{action}</code> },
        { head: 'On', cell: ({ subject }) => <span class="cell-name">{subject}</span> },
        { head: 'Details', wide: true, cell: ({ detail }) => <Details detail={detail} /> },
      ]}
    />
  )
}

const MOST_SHOWN = 160

function Details({ detail }: { readonly detail: Readonly<Record<string, unknown>> }) {
  const text = Object.entries(detail)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ')
  return (
    <span class="faint cell-name" title={text}>
      {text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} …` : text}
    </span>
  )
}
