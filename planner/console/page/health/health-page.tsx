import { formatMs, formatRatio } from '../../../../shared/units.ts'
import { count, counted } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import { Choice, Field } from '../parts/fields.tsx'
import { Answer, Empty, known, Unknown } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Title } from '../parts/title.tsx'
import { Link, useQuery } from '../router.tsx'
import type { AlarmList, ClassList, HealthView, ModelList } from '../types.ts'
import { AlarmTable } from './alarm-table.tsx'
import { CapturedSamples } from './captured-samples.tsx'
import { HealthCharts } from './health-charts.tsx'

export function HealthPage() {
  const models = useAnswer<ModelList>('/models', { query: { limit: 500 }, on: ['models'] })
  const [query] = useQuery()
  const model = query.model ?? models.value?.items[0]?.name
  return (
    <>
      <Title text="Health" beside={<p class="faint">how models do in the field</p>} />
      <Alarms all={query.alarms === 'all'} />
      <Answer of={models} what="models">
        {({ items }) =>
          model === undefined ? (
            <Empty>
              <p>No model is registered yet, so there is nothing to watch.</p>
              <Link to="newModel">Add a model</Link>
            </Empty>
          ) : (
            <>
              <HealthFilters model={model} models={items.map(({ name }) => name)} />
              <ModelHealth model={model} days={Number(query.days ?? 7)} of={query.class} />
              <CapturedSamples key={model} model={model} />
            </>
          )
        }
      </Answer>
    </>
  )
}

function Alarms({ all }: { readonly all: boolean }) {
  const query = { limit: 200, ...(all && { all }) }
  const asked = useAnswer<AlarmList>('/alarms', { query, on: ['alarms'] })
  const [, setQuery] = useQuery()
  return (
    <section aria-labelledby="alarms">
      <header>
        <h2 id="alarms">Alarms</h2>
        <button
          type="button"
          class="plain"
          aria-pressed={all}
          onClick={() => setQuery({ alarms: all ? undefined : 'all' })}
        >
          {all ? 'Raised ones only' : 'Show cleared ones too'}
        </button>
      </header>
      <Answer of={asked} what="alarms">
        {({ items, total }) =>
          items.length === 0 ? (
            <p class="faint">No alarm is raised.</p>
          ) : (
            <>
              <AlarmTable alarms={items} />
              {total !== null && total > items.length && (
                <p class="faint">
                  {items.length} of {count(total)}
                </p>
              )}
            </>
          )
        }
      </Answer>
    </section>
  )
}

interface HealthFiltersProps {
  readonly model: string
  readonly models: readonly string[]
}

const DAYS = [
  ['7', '7 days'],
  ['14', '14 days'],
  ['35', '35 days'],
] as const

function HealthFilters({ model, models }: HealthFiltersProps) {
  const [query, setQuery] = useQuery()
  const classes = useAnswer<ClassList>('/classes', { query: { limit: 500 } })
  return (
    <search class="filters">
      <Field label="Model">
        <Choice
          value={model}
          options={models}
          onChoice={(name) => setQuery({ model: name, samples: undefined })}
        />
      </Field>
      <Field label="Class">
        <Choice
          value={query.class ?? ''}
          options={[['', 'all'], ...(classes.value?.items ?? []).map(({ id }) => id)]}
          onChoice={(of) => setQuery({ class: of })}
        />
      </Field>
      <Field label="Back to">
        <Choice value={query.days ?? '7'} options={DAYS} onChoice={(days) => setQuery({ days })} />
      </Field>
    </search>
  )
}

interface ModelHealthProps {
  readonly model: string
  readonly days: number
  readonly of: string | undefined
}

function ModelHealth({ model, days, of }: ModelHealthProps) {
  const asked = useAnswer<HealthView>(pathOf('models', model, 'health'), {
    query: { days, class: of },
    on: ['alarms'],
    about: (item) => item.model === model,
  })
  return (
    <Answer of={asked} what={`health of ${model}`}>
      {(health) =>
        health.devices.length === 0 && health.days.length === 0 ? (
          <Empty>
            <p>
              No device has told how {model} does. Applications observe it through the client that
              the package exports: <code>docs/health.md</code>.
            </p>
          </Empty>
        ) : (
          <>
            <HealthCharts health={health} />
            <Devices health={health} />
          </>
        )
      }
    </Answer>
  )
}

const SHOWN = 100

/** The furthest from its reference first. */
function Devices({ health: { devices } }: { readonly health: HealthView }) {
  const worst = [...devices].sort((a, b) => (b.drift ?? -1) - (a.drift ?? -1)).slice(0, SHOWN)
  return (
    <section aria-labelledby="devices">
      <header>
        <h2 id="devices">Devices, the furthest from the reference first</h2>
        <p class="faint">
          {worst.length < devices.length
            ? `${SHOWN} of ${count(devices.length)}`
            : counted(devices.length, 'device')}
        </p>
      </header>
      <Table
        label="Health by device"
        rows={worst}
        keyOf={({ device }) => device}
        columns={COLUMNS}
      />
    </section>
  )
}

const COLUMNS: readonly Column<HealthView['devices'][number]>[] = [
  {
    head: 'Device',
    cell: ({ device }) => (
      <Link to="device" named={{ device }}>
        {device}
      </Link>
    ),
  },
  { head: 'Class', wide: true, cell: ({ class: of }) => of ?? <Unknown /> },
  {
    head: 'Variant',
    wide: true,
    cell: ({ scheme, revision }) => `r${revision ?? '?'} ${scheme ?? '?'}`,
  },
  { head: 'Drift', number: true, cell: ({ drift }) => known(drift, (value) => value.toFixed(3)) },
  { head: 'Most in', wide: true, cell: ({ worst }) => worst[0]?.name ?? <Unknown /> },
  { head: 'P50', number: true, wide: true, cell: ({ p50Ms }) => known(p50Ms, formatMs) },
  { head: 'P95', number: true, cell: ({ p95Ms }) => known(p95Ms, formatMs) },
  { head: 'Of its probe', number: true, cell: ({ p95Ratio }) => known(p95Ratio, formatRatio) },
  { head: 'Inferences', number: true, wide: true, cell: ({ inferences }) => count(inferences) },
]
