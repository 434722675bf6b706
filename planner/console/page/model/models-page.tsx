import { formatBytes, formatPercent } from '../../../../shared/units.ts'
import { counted, moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { Answer, Empty, Unknown } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Title } from '../parts/title.tsx'
import { Link } from '../router.tsx'
import { useMay } from '../session.ts'
import type { ModelList, ModelView } from '../types.ts'

export function ModelsPage() {
  const asked = useAnswer<ModelList>('/models', {
    query: { limit: 500 },
    on: ['models', 'plans'],
  })
  const may = useMay()
  return (
    <>
      <Title
        text="Models"
        actions={
          may('operator') ? (
            <Link to="newModel" class="button main">
              Add a model
            </Link>
          ) : undefined
        }
      />
      <Answer of={asked} what="models">
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              <p>
                No model is registered. A model is a float file, samples to calibrate with, and
                samples to test with: the planner builds and measures the rest.
              </p>
            </Empty>
          ) : (
            <Table label="Models" rows={items} keyOf={({ name }) => name} columns={COLUMNS} />
          )
        }
      </Answer>
    </>
  )
}

const COLUMNS: readonly Column<ModelView>[] = [
  {
    head: 'Model',
    cell: ({ name }) => (
      <Link to="model" named={{ model: name }}>
        {name}
      </Link>
    ),
  },
  { head: 'Newest', number: true, cell: ({ revision }) => `r${revision}` },
  { head: 'Float accuracy', number: true, cell: (model) => <Quality model={model} /> },
  { head: 'Float size', number: true, wide: true, cell: ({ bytes }) => formatBytes(bytes) },
  { head: 'Optimised for', wide: true, cell: ({ objective }) => objective },
  { head: 'Classes', cell: (model) => <Stages model={model} /> },
  {
    head: 'Registered (UTC)',
    wide: true,
    cell: ({ registeredAt }) => moment(registeredAt),
  },
]

export function Quality({
  model: { accuracy, metric },
}: {
  readonly model: Pick<ModelView, 'accuracy' | 'metric'>
}) {
  if (metric?.value != null) {
    const value =
      metric.unit === 'number' ? metric.value.toPrecision(4) : formatPercent(metric.value)
    return (
      <>
        {value} <span class="faint">{metric.text}</span>
      </>
    )
  }
  if (accuracy === null) return <Unknown />
  return <span>{formatPercent(accuracy)}</span>
}

/** Stages of a class that has its variant. */
const CHOSEN: ReadonlySet<string> = new Set(['selected', 'rolling', 'done'])

function Stages({ model: { classes } }: { readonly model: ModelView }) {
  if (classes.length === 0) return <span class="faint">not planned yet</span>
  const chosen = classes.filter(({ stage }) => CHOSEN.has(stage)).length
  const waiting = classes.find(({ waiting }) => waiting !== '')
  return (
    <>
      {chosen} of {counted(classes.length, 'class', 'classes')} chosen
      {waiting && <span class="faint"> · {waiting.waiting}</span>}
    </>
  )
}
