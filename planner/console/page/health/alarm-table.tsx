import { moment } from '../../figures/wording.ts'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { Link } from '../router.tsx'
import type { AlarmList } from '../types.ts'

export function AlarmTable({ alarms }: { readonly alarms: AlarmList['items'] }) {
  return (
    <Table
      label="Alarms"
      rows={alarms}
      keyOf={({ rule, model, device }) => `${rule} ${model} ${device}`}
      columns={[
        {
          head: 'Device',
          cell: ({ device }) => (
            <Link to="device" named={{ device }}>
              {device}
            </Link>
          ),
        },
        {
          head: 'State',
          cell: ({ state }) => <Mark state={state} words={state === 'quiet' ? 'cleared' : state} />,
        },
        { head: 'Rule', wide: true, cell: ({ rule }) => rule },
        { head: 'Model', wide: true, cell: ({ model }) => model },
        { head: 'Evidence', cell: ({ evidence }) => <span class="evidence">{evidence}</span> },
        {
          head: 'Raised (UTC)',
          wide: true,
          cell: ({ raisedAt }) => (raisedAt === null ? '' : moment(raisedAt)),
        },
      ]}
    />
  )
}
