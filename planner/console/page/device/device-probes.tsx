import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../../shared/units.ts'
import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { Mark } from '../parts/mark.tsx'
import { Answer, Empty, known } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import type { ProbeList, ProbeView } from '../types.ts'

/** What it measured, newest first. */
export function DeviceProbes({ device }: { readonly device: string }) {
  const asked = useAnswer<ProbeList>('/probes', { query: { device, limit: 100 }, on: ['plans'] })
  return (
    <section aria-labelledby="probes">
      <h2 id="probes">Probes</h2>
      <Answer of={asked} what="measurements">
        {({ items }) =>
          items.length === 0 ? (
            <Empty>It has measured nothing yet.</Empty>
          ) : (
            <Table
              label="Measurements"
              rows={[...items].sort((a, b) => b.orderedAt.localeCompare(a.orderedAt))}
              keyOf={({ id }) => id}
              columns={COLUMNS}
            />
          )
        }
      </Answer>
    </section>
  )
}

const COLUMNS: readonly Column<ProbeView>[] = [
  { head: 'Ordered (UTC)', cell: ({ orderedAt }) => moment(orderedAt) },
  { head: 'Model', wide: true, cell: ({ model }) => model },
  {
    head: 'Variant',
    cell: ({ scheme, runtime }) => (
      <>
        {scheme} <span class="faint">{runtime}</span>
      </>
    ),
  },
  { head: 'State', cell: ({ state, error }) => <Mark state={state} words={error ?? state} /> },
  { head: 'P50', number: true, cell: ({ p50Ms }) => known(p50Ms, formatMs) },
  { head: 'Of float32', number: true, wide: true, cell: ({ ratio }) => known(ratio, formatRatio) },
  {
    head: 'Memory',
    number: true,
    wide: true,
    cell: ({ memoryBytes }) => known(memoryBytes, formatBytes),
  },
  { head: 'Accuracy', number: true, cell: ({ accuracy }) => known(accuracy, formatPercent) },
]
