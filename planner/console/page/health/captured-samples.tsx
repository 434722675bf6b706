import { formatBytes } from '../../../../shared/units.ts'
import { count, counted, moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { Answer, Empty } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Link, useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { SampleCounts } from '../types.ts'
import { SampleGallery } from './sample-gallery.tsx'

/** In the link, for samples of every device: no device is called so. */
const EVERY = '*'
const SHOWN = 50

type Row = SampleCounts['rows'][number]

/** Inputs that devices kept because the model did badly on them: how many for everybody, what they are for operators. */
export function CapturedSamples({ model }: { readonly model: string }) {
  const asked = useAnswer<SampleCounts>('/samples', { query: { model } })
  const [{ samples }, setQuery] = useQuery()
  const may = useMay()
  const isOpen = samples !== undefined && may('operator')
  return (
    <section aria-labelledby="samples">
      <header>
        <h2 id="samples">Captured samples</h2>
        {isOpen && (
          <button type="button" class="plain" onClick={() => setQuery({ samples: undefined })}>
            Close
          </button>
        )}
      </header>
      <Answer of={asked} what="captured samples">
        {(counts) =>
          counts.rows.length === 0 ? (
            <Empty>
              <p>
                No device has sent a sample of {model}. Agents that run with <code>--capture</code>{' '}
                keep inputs of which the model is unsure: <code>docs/health.md</code>.
              </p>
            </Empty>
          ) : (
            <Counts counts={counts} />
          )
        }
      </Answer>
      {samples !== undefined && !may('operator') && (
        <Empty>Inputs of applications are shown to operators.</Empty>
      )}
      {isOpen && (
        <SampleGallery
          key={samples}
          model={model}
          device={samples === EVERY ? undefined : samples}
        />
      )}
    </section>
  )
}

function Counts({ counts: { rows, waiting } }: { readonly counts: SampleCounts }) {
  const newest = [...rows].sort((a, b) => b.last.localeCompare(a.last)).slice(0, SHOWN)
  const all = rows.reduce((sum, { samples }) => sum + samples, 0)
  return (
    <>
      <Table
        label="Captured samples by device"
        rows={newest}
        keyOf={({ device, revision }) => `${device} ${revision}`}
        columns={COLUMNS}
      />
      <p class="faint">
        {counted(all, 'sample')} of {counted(new Set(rows.map((row) => row.device)).size, 'device')}
        {waiting > 0 && `, ${count(waiting)} more on their way`}
        {rows.length > SHOWN && `; the ${SHOWN} that sent last are listed`}
        {'. Looking at them stands in the audit. '}
        <Look at={EVERY}>Look at all, the newest first</Look>
      </p>
    </>
  )
}

const COLUMNS: readonly Column<Row>[] = [
  {
    head: 'Device',
    cell: ({ device }) => (
      <Link to="device" named={{ device }}>
        {device}
      </Link>
    ),
  },
  {
    head: 'Revision',
    number: true,
    wide: true,
    cell: ({ revision }) => (revision === null ? '' : `r${revision}`),
  },
  { head: 'Samples', number: true, cell: ({ samples }) => count(samples) },
  { head: 'Size', number: true, wide: true, cell: ({ bytes }) => formatBytes(bytes) },
  {
    head: 'Why',
    cell: ({ reasons }) =>
      Object.entries(reasons)
        .map(([why, samples]) => `${why} ${count(samples)}`)
        .join(', '),
  },
  { head: 'Last (UTC)', wide: true, cell: ({ last }) => moment(last) },
  { head: 'What', cell: ({ device }) => <Look at={device}>Look</Look> },
]

function Look({ at, children }: { readonly at: string; readonly children: string }) {
  const [{ samples }, setQuery] = useQuery()
  const may = useMay()
  if (!may('operator')) return null
  return (
    <button
      type="button"
      class="plain"
      aria-pressed={samples === at}
      onClick={() => setQuery({ samples: at })}
    >
      {children}
      {at !== EVERY && <span class="visually-hidden"> at samples of {at}</span>}
    </button>
  )
}
