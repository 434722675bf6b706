import { short } from '../../figures/wording.ts'
import { Empty } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import type { DeviceDetail } from '../types.ts'

type Runtime = DeviceDetail['runtimes'][number]

export function Runtimes({ device }: { readonly device: DeviceDetail }) {
  const { runtimes, engineNotes } = device
  return (
    <section aria-labelledby="runtimes">
      <h2 id="runtimes">Runtimes and delegates</h2>
      {runtimes.length === 0 ? (
        <Empty>It has no runtime that can run a model.</Empty>
      ) : (
        <Table
          label="Runtimes and delegates"
          rows={runtimes}
          keyOf={(runtime) => JSON.stringify(runtime)}
          columns={[
            { head: 'Runtime', cell: ({ name }) => name },
            { head: 'Version', number: true, cell: ({ version }) => version },
            { head: 'Library', wide: true, cell: (runtime) => <Library runtime={runtime} /> },
            {
              head: 'Delegates, in the order they are asked',
              cell: ({ delegates = [], device: on }) =>
                [...(on === undefined ? [] : [on]), ...delegates.map(({ name }) => name)].join(
                  ', ',
                ) || 'processor alone',
            },
          ]}
        />
      )}
      {engineNotes.unusable.map(({ name, path, message }) => (
        <div class="note warn" key={path}>
          <p>
            {name} at <code>{path}</code> cannot be used: {message}
          </p>
        </div>
      ))}
      {engineNotes.proposed.map(({ name, path }) => (
        <div class="note" key={path}>
          <p>
            {name} lies at <code>{path}</code>, and the agent was not told to use it.
          </p>
        </div>
      ))}
    </section>
  )
}

function Library({ runtime: { library } }: { readonly runtime: Runtime }) {
  if (library === undefined) return <span class="faint">comes with the agent</span>
  return (
    <>
      <code>{library.path}</code> <span class="faint">{short(library.digest)}</span>
    </>
  )
}
