import { formatBytes } from '../../../../shared/units.ts'
import { short } from '../../figures/wording.ts'
import { Mark } from '../parts/mark.tsx'
import { Empty, Unknown } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { Link } from '../router.tsx'
import type { DeviceDetail } from '../types.ts'

export function Slots({ device }: { readonly device: DeviceDetail }) {
  const { installed, garbage, garbageNote } = device
  return (
    <section aria-labelledby="slots">
      <header>
        <h2 id="slots">Installed</h2>
        {garbage > 0 && <p class="faint">{formatBytes(garbage)} wait to be cleared away</p>}
      </header>
      {garbageNote !== null && (
        <div class="note warn">
          <p>{garbageNote}</p>
        </div>
      )}
      {installed.length === 0 ? (
        <Empty>No model is installed here yet.</Empty>
      ) : (
        <Table
          label="Installed models"
          rows={installed}
          keyOf={({ model, variant }) => `${model} ${variant}`}
          columns={[
            {
              head: 'Model',
              cell: ({ model }) => (
                <Link to="model" named={{ model }}>
                  {model}
                </Link>
              ),
            },
            {
              head: 'Revision',
              number: true,
              cell: ({ revision }) => revision ?? <Unknown />,
            },
            { head: 'Scheme', cell: ({ scheme }) => scheme ?? <Unknown /> },
            {
              head: 'Slot',
              cell: ({ active }) =>
                active ? (
                  <Mark state="active" words="in use" />
                ) : (
                  <Mark state="kept" words="kept to go back to" />
                ),
            },
            {
              head: 'File',
              wide: true,
              cell: ({ variant }) => <code title={variant}>{short(variant)}</code>,
            },
          ]}
        />
      )}
    </section>
  )
}
