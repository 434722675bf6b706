import { useAnswer } from '../answers.ts'
import { ask, pathOf } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Answer } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { useMay } from '../session.ts'
import type { WindowList } from '../types.ts'

/** Hours in which devices may switch. */
export function Windows() {
  const asked = useAnswer<WindowList>('/windows')
  const may = useMay()
  return (
    <section aria-labelledby="windows">
      <h2 id="windows">Windows of maintenance</h2>
      <Answer of={asked} what="windows">
        {({ items }) =>
          items.length === 0 ? (
            <p class="faint">
              None: devices switch at any hour. One is set with <code>fitment windows set</code>.
            </p>
          ) : (
            <Table
              label="Windows of maintenance"
              rows={items}
              keyOf={({ name }) => name}
              columns={[
                { head: 'Window', cell: ({ name }) => name },
                { head: 'Hours', cell: ({ hours }) => hours },
                { head: 'Where', cell: ({ where }) => <span class="cell-name">{where}</span> },
                { head: 'Devices', number: true, cell: ({ devices }) => devices },
                { head: 'Set by', wide: true, cell: ({ by }) => by },
                {
                  head: 'Remove',
                  cell: ({ name }) =>
                    may('operator') ? (
                      <Action
                        label="Remove"
                        title={`Remove the window ${name}?`}
                        verb="Remove"
                        act={async () => {
                          await ask(pathOf('windows', name), { method: 'DELETE' })
                          asked.again()
                        }}
                      >
                        <p>Its devices then switch at any hour.</p>
                      </Action>
                    ) : null,
                },
              ]}
            />
          )
        }
      </Answer>
    </section>
  )
}
