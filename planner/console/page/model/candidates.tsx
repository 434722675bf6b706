import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../../shared/units.ts'
import { intervalOf, qualityOf } from '../../figures/candidates.ts'
import { Mark } from '../parts/mark.tsx'
import { known, Unknown } from '../parts/notice.tsx'
import { type Column, Table } from '../parts/table.tsx'
import type { CandidateRow, Explanation } from '../types.ts'

type Explained = Explanation['candidates'][number]

interface CandidatesProps {
  readonly rows: readonly CandidateRow[]
  readonly explained: (row: CandidateRow) => Explained | undefined
}

const ORDER = ['chosen', 'kept', 'pending', 'dropped']

/** Those that were measured with their numbers, the chosen one first; the others with why they were not. */
export function Candidates({ rows, explained }: CandidatesProps) {
  const sorted = [...rows].sort(
    (a, b) =>
      ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) ||
      (a.measured?.p50Ms ?? Number.POSITIVE_INFINITY) -
        (b.measured?.p50Ms ?? Number.POSITIVE_INFINITY),
  )
  const isNever = ({ measured, verdict }: CandidateRow) =>
    measured === null && verdict === 'dropped'
  const never = sorted.filter(isNever)
  return (
    <>
      <Table
        label="Candidates"
        rows={sorted.filter((row) => !isNever(row))}
        keyOf={keyOf}
        look={({ verdict }) => (verdict === 'chosen' ? 'chosen' : undefined)}
        columns={columnsOf(explained)}
      />
      {never.length > 0 && (
        <details>
          <summary>{never.length} more were not measured, each for a reason</summary>
          <Table
            label="Candidates that were dropped"
            rows={never}
            keyOf={keyOf}
            columns={DROPPED}
          />
        </details>
      )}
    </>
  )
}

const keyOf = ({ scheme, runtime }: CandidateRow) => `${scheme} ${runtime}`

const DROPPED: readonly Column<CandidateRow>[] = [
  { head: 'Variant', cell: ({ scheme }) => scheme },
  { head: 'Runtime', cell: ({ runtime }) => runtime },
  { head: 'Why not', cell: ({ reason }) => <span class="cell-name">{reason}</span> },
]

function columnsOf(
  explained: (row: CandidateRow) => Explained | undefined,
): readonly Column<CandidateRow>[] {
  return [
    {
      head: 'Variant',
      cell: ({ scheme, runtime }) => (
        <>
          <span class="whole">{scheme}</span>
          <br />
          <span class="faint">{runtime}</span>
        </>
      ),
    },
    { head: 'Verdict', cell: ({ verdict }) => <Mark state={verdict} /> },
    { head: 'P50', number: true, cell: (row) => <Latency row={row} own={explained(row)} /> },
    {
      head: 'Beside the chosen',
      number: true,
      wide: true,
      cell: (row) => <Ratio ratio={explained(row)?.besideChosen ?? null} />,
    },
    { head: 'Size', number: true, cell: ({ bytes }) => known(bytes, formatBytes) },
    {
      head: 'Quality',
      number: true,
      cell: (row) => known(qualityOf(row)?.value ?? null, formatPercent),
    },
    {
      head: 'Lost',
      number: true,
      wide: true,
      cell: ({ measured }) =>
        known(measured?.drop ?? null, (drop) => `${(drop * 100).toFixed(1)} pt`),
    },
    {
      head: 'Memory',
      number: true,
      wide: true,
      cell: ({ measured }) => known(measured?.memoryBytes ?? null, formatBytes),
    },
    { head: 'Why', wide: true, cell: ({ reason }) => <span class="cell-name">{reason}</span> },
  ]
}

interface LatencyProps {
  readonly row: CandidateRow
  readonly own: Explained | undefined
}

function Latency({ row: { measured }, own }: LatencyProps) {
  if (measured === null) return <Unknown />
  const interval = intervalOf(measured.p50Ms, own?.measurements ?? [])
  return (
    <>
      {formatMs(measured.p50Ms)}
      {interval && (
        <>
          <br />
          <span class="faint">
            {Number(interval[0].toPrecision(3))}–{Number(interval[1].toPrecision(3))}
          </span>
        </>
      )}
    </>
  )
}

function Ratio({ ratio }: { readonly ratio: Explained['besideChosen'] }) {
  if (ratio === null) return <Unknown />
  return (
    <>
      {formatRatio(ratio.p50)}
      <br />
      <span class="faint">
        {ratio.ci95[0].toFixed(2)}–{ratio.ci95[1].toFixed(2)}
      </span>
    </>
  )
}
