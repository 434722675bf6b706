import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../../shared/units.ts'
import { qualityOf } from '../../figures/candidates.ts'
import { operatorCount } from '../../figures/operators.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import type { PageProps } from '../page-props.ts'
import { Answer, Unknown } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { Title } from '../parts/title.tsx'
import { Link, useQuery } from '../router.tsx'
import type { CandidateRow, ModelDetail } from '../types.ts'
import { Quality } from './models-page.tsx'

/** Two revisions side by side: the source, and what each class gets of it. */
export function ComparePage({ named: { model = '' } }: PageProps) {
  const [{ older = '', newer = '' }] = useQuery()
  const path = pathOf('models', model)
  const before = useAnswer<ModelDetail>(path, { query: { revision: older }, on: ['plans'] })
  const after = useAnswer<ModelDetail>(path, { query: { revision: newer }, on: ['plans'] })
  return (
    <>
      <Title
        text={`${model}: revisions ${older} and ${newer}`}
        crumb={
          <Link to="model" named={{ model }}>
            {model}
          </Link>
        }
      />
      <Answer of={before} what={`revision ${older}`}>
        {(first) => (
          <Answer of={after} what={`revision ${newer}`}>
            {(second) => (
              <>
                <Sources first={first} second={second} />
                <Winners first={first} second={second} />
              </>
            )}
          </Answer>
        )}
      </Answer>
    </>
  )
}

interface BothProps {
  readonly first: ModelDetail
  readonly second: ModelDetail
}

function Sources({ first, second }: BothProps) {
  const rows = [
    { what: 'Quality of float', of: (model: ModelDetail) => <Quality model={model} /> },
    { what: 'Size of float', of: ({ bytes }: ModelDetail) => formatBytes(bytes) },
    { what: 'Operators', of: ({ facts }: ModelDetail) => operatorCount(facts.operators) },
    { what: 'Float weights', of: ({ facts }: ModelDetail) => facts.floatElements },
    { what: 'Test samples', of: ({ testSamples }: ModelDetail) => testSamples },
    { what: 'Calibration samples', of: (model: ModelDetail) => model.calibrationSamples },
  ]
  return (
    <section aria-labelledby="sources">
      <h2 id="sources">Source</h2>
      <Table
        label="Sources of both revisions"
        rows={rows}
        keyOf={({ what }) => what}
        columns={[
          { head: '', cell: ({ what }) => what },
          { head: `r${first.revision}`, number: true, cell: ({ of }) => of(first) },
          { head: `r${second.revision}`, number: true, cell: ({ of }) => of(second) },
        ]}
      />
    </section>
  )
}

function Winners({ first, second }: BothProps) {
  const classes = [...new Set([...first.plans, ...second.plans].map((plan) => plan.class))].sort()
  const winner = (model: ModelDetail, of: string) =>
    model.plans
      .find((plan) => plan.class === of)
      ?.candidates.find(({ verdict }) => verdict === 'chosen')
  const rows = classes.map((of) => ({ of, old: winner(first, of), fresh: winner(second, of) }))
  return (
    <section aria-labelledby="winners">
      <h2 id="winners">What each class gets</h2>
      <Table
        label="Chosen variants of both revisions"
        rows={rows}
        keyOf={({ of }) => of}
        columns={[
          { head: 'Class', cell: ({ of }) => of },
          { head: `r${first.revision}`, cell: ({ old }) => <Winner row={old} /> },
          { head: `r${second.revision}`, cell: ({ fresh }) => <Winner row={fresh} /> },
          {
            head: 'Latency',
            number: true,
            wide: true,
            cell: (r) => change(r, (v) => v.measured?.p50Ms ?? null),
          },
          { head: 'Size', number: true, wide: true, cell: (r) => change(r, (v) => v.bytes) },
          { head: 'Quality', number: true, wide: true, cell: (r) => <QualityChange {...r} /> },
        ]}
      />
      <p class="faint">
        Latency and size: the second over the first; quality: what it gained. Times of two revisions
        were measured apart, so a few per cent are noise.
      </p>
    </section>
  )
}

function Winner({ row }: { readonly row: CandidateRow | undefined }) {
  if (!row) return <span class="faint">nothing chosen</span>
  const quality = qualityOf(row)
  return (
    <>
      {row.scheme} <span class="faint">{row.runtime}</span>
      <br />
      <span class="faint">
        {[
          ...(row.measured ? [formatMs(row.measured.p50Ms)] : []),
          ...(row.bytes === null ? [] : [formatBytes(row.bytes)]),
          ...(quality ? [formatPercent(quality.value)] : []),
        ].join(' · ')}
      </span>
    </>
  )
}

interface Pair {
  readonly old: CandidateRow | undefined
  readonly fresh: CandidateRow | undefined
}

function QualityChange({ old, fresh }: Pair) {
  const [before, after] = [old && qualityOf(old), fresh && qualityOf(fresh)]
  if (!before || !after || before.name !== after.name) return <Unknown />
  const points = (after.value - before.value) * 100
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)} pt`
}

function change({ old, fresh }: Pair, figure: (row: CandidateRow) => number | null) {
  const [before, after] = [old && figure(old), fresh && figure(fresh)]
  if (!before || !after) return <Unknown />
  return formatRatio(after / before)
}
