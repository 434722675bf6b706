import { counted, moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { ask, pathOf } from '../api.ts'
import { useDoing } from '../parts/dialog.tsx'
import { Answer, ProblemNote } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import type { DeadDeliveries, WebhookList } from '../types.ts'

/** Who is told of events, and what could not be told. */
export function Webhooks() {
  const asked = useAnswer<WebhookList>('/webhooks')
  return (
    <section aria-labelledby="webhooks">
      <h2 id="webhooks">Webhooks</h2>
      <Answer of={asked} what="webhooks">
        {({ items }) =>
          items.length === 0 ? (
            <p class="faint">
              Nobody is told of events. A receiver is added with <code>fitment webhooks add</code>.
            </p>
          ) : (
            <>
              <Receivers webhooks={items} />
              {items.some(({ dead }) => dead > 0) && <Dead again={asked.again} />}
            </>
          )
        }
      </Answer>
    </section>
  )
}

function Receivers({ webhooks }: { readonly webhooks: WebhookList['items'] }) {
  return (
    <Table
      label="Webhooks"
      rows={webhooks}
      keyOf={({ name }) => name}
      columns={[
        { head: 'Receiver', cell: ({ name }) => name },
        { head: 'At', cell: ({ url }) => <span class="cell-name">{url}</span> },
        { head: 'Of', wide: true, cell: ({ kinds }) => kinds?.join(', ') ?? 'everything' },
        { head: 'Waiting', number: true, cell: ({ waiting }) => waiting },
        { head: 'Given up', number: true, cell: ({ dead }) => dead },
        { head: 'Last said', wide: true, cell: ({ lastAnswer }) => lastAnswer ?? 'nothing yet' },
      ]}
    />
  )
}

function Dead({ again }: { readonly again: () => void }) {
  const asked = useAnswer<DeadDeliveries>('/deliveries/dead', { query: { limit: 100 } })
  const doing = useDoing()
  const retry = (delivery: string) =>
    doing.run(async () => {
      await ask(pathOf('deliveries', delivery, 'retry'), { method: 'POST', body: {} })
      asked.again()
      again()
    })
  return (
    <Answer of={asked} what="what was given up">
      {({ items, total }) => (
        <>
          <h3>{counted(total ?? items.length, 'delivery', 'deliveries')} given up</h3>
          <ProblemNote problem={doing.problem} />
          <Table
            label="Deliveries that were given up"
            rows={items}
            keyOf={({ id }) => id}
            columns={[
              { head: 'Receiver', cell: ({ webhook }) => webhook },
              { head: 'Event', cell: ({ kind }) => kind },
              { head: 'Since (UTC)', wide: true, cell: ({ createdAt }) => moment(createdAt) },
              { head: 'Tried', number: true, cell: ({ attempts }) => attempts },
              { head: 'It said', cell: ({ lastAnswer }) => lastAnswer ?? 'nothing' },
              {
                head: 'Again',
                cell: ({ id, kind }) => (
                  <button type="button" disabled={doing.isBusy} onClick={() => retry(id)}>
                    Retry<span class="visually-hidden"> {kind}</span>
                  </button>
                ),
              },
            ]}
          />
        </>
      )}
    </Answer>
  )
}
