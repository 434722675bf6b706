import { formatBytes } from '../../../../shared/units.ts'
import { useAnswer } from '../answers.ts'
import { Mark } from '../parts/mark.tsx'
import { Answer } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import type { PackageList } from '../types.ts'

/** Libraries that the planner sends to devices that have none. */
export function RuntimePackages() {
  const asked = useAnswer<PackageList>('/runtimes', { query: { limit: 500 } })
  return (
    <section aria-labelledby="packages">
      <h2 id="packages">Runtimes for devices</h2>
      <Answer of={asked} what="packages">
        {({ items }) =>
          items.length === 0 ? (
            <p class="faint">
              None: devices use what they have. One is added with <code>fitment runtimes add</code>.
            </p>
          ) : (
            <Table
              label="Packages of runtimes"
              rows={items}
              keyOf={({ digest }) => digest}
              columns={[
                { head: 'Runtime', cell: ({ runtime }) => runtime },
                { head: 'Version', number: true, cell: ({ version }) => version },
                { head: 'For', cell: ({ architecture }) => architecture },
                { head: 'Size', number: true, wide: true, cell: ({ bytes }) => formatBytes(bytes) },
                {
                  head: 'State',
                  cell: ({ released }) => <Mark state={released ? 'published' : 'waiting'} />,
                },
                { head: 'Have it', number: true, cell: ({ devices }) => devices.have.length },
                { head: 'Failed', number: true, cell: ({ devices }) => devices.failed.length },
              ]}
            />
          )
        }
      </Answer>
    </section>
  )
}
