import { formatMetric } from '../../../shared/metrics/index.ts'
import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../shared/units.ts'
import type { Comparison, LayerComparison, QuantizedComparison } from '../comparison.ts'
import { COMPUTATIONS, type OperatorRow } from '../inside/computation.ts'
import type { WeightComparison } from '../inside/weights.ts'
import { baseName, decibels, figure, shortName } from './format.ts'
import { type Markup, type MarkupValue, markup } from './markup.ts'

/** A column: its title, and what a row shows in it; figures are set right. */
interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => MarkupValue
  readonly text?: true
}

export function summaryTable({ float, quantized }: Comparison): Markup {
  const share = (value: number | null) => (value === null ? '—' : formatPercent(value, 2))
  return tableOf<QuantizedComparison>(
    [
      { title: 'Model', text: true, cell: ({ file }) => baseName(file) },
      { title: 'Size', cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'Of float', cell: ({ bytes }) => formatPercent(bytes / float.bytes) },
      ...metricColumns(quantized[0]),
      { title: 'Output SQNR', cell: ({ quality }) => orDash(quality.sqnrDb, decibels) },
      { title: 'Agreement', cell: ({ quality }) => share(quality.agreement) },
      { title: 'Accuracy', cell: ({ quality }) => share(quality.accuracy) },
      { title: 'Float accuracy', cell: ({ quality }) => share(quality.referenceAccuracy) },
      {
        title: 'Latency p50',
        cell: ({ latency }) => orDash(latency, (one) => formatMs(one.latency.p50Ms)),
      },
      {
        title: 'Of float',
        cell: ({ latency }) => orDash(latency, (one) => formatRatio(one.ratio.p50)),
      },
      {
        title: 'Operators',
        text: true,
        cell: ({ computing }) =>
          COMPUTATIONS.filter((how) => computing[how] > 0)
            .map((how) => `${computing[how]} ${how}`)
            .join(', '),
      },
    ],
    quantized,
  )
}

/** One metric is asked for of all models, or none. */
function metricColumns(first: QuantizedComparison | undefined): Column<QuantizedComparison>[] {
  const metric = first?.quality.metric
  if (metric === undefined) return []
  const print = (value: number | null | undefined) =>
    orDash(value ?? null, (one) => formatMetric(metric, one))
  return [
    { title: metric.text, cell: ({ quality }) => print(quality.metric?.value) },
    { title: 'Float', cell: ({ quality }) => print(quality.metric?.reference) },
  ]
}

export function layerTable(layers: readonly LayerComparison[]): Markup {
  return tableOf<LayerComparison>(
    [
      { title: '#', cell: ({ order }) => order },
      { title: 'Activation', text: true, cell: ({ name }) => nameCell(name) },
      { title: 'Operator', text: true, cell: ({ operator }) => operator },
      { title: 'Computes on', text: true, cell: ({ computes }) => computes },
      { title: 'SQNR', cell: ({ sqnrDb }) => decibels(sqnrDb) },
      { title: 'Max error', cell: ({ maxAbsError }) => figure(maxAbsError) },
      { title: 'Mean error', cell: ({ meanError }) => figure(meanError) },
      { title: 'Type', text: true, cell: ({ type }) => type },
      { title: 'Scale', cell: ({ scale }) => orDash(scale, figure) },
      { title: 'Zero point', cell: ({ zeroPoint }) => orDash(zeroPoint, String) },
      { title: 'Holds', cell: ({ holds }) => orDash(holds, span) },
      { title: 'Float range', cell: ({ min, max }) => span([min, max]) },
      { title: 'Clipped', cell: ({ clipped }) => formatPercent(clipped, 2) },
    ],
    layers,
  )
}

export function weightTable(weights: readonly WeightComparison[]): Markup {
  return tableOf<WeightComparison>(
    [
      { title: 'Layer', text: true, cell: ({ layer }) => nameCell(layer) },
      { title: 'Operator', text: true, cell: ({ operator }) => operator },
      { title: 'Role', text: true, cell: ({ role }) => role },
      { title: 'Elements', cell: ({ elements }) => String(elements) },
      { title: 'SQNR', cell: ({ sqnrDb }) => decibels(sqnrDb) },
      { title: 'Type', text: true, cell: ({ type }) => type },
      { title: 'Scales', cell: ({ scales }) => orDash(scales, ({ count }) => String(count)) },
      {
        title: 'Scale',
        cell: ({ scales }) =>
          orDash(scales, ({ min, max }) => (min === max ? figure(min) : span([min, max]))),
      },
      { title: 'Range', cell: ({ min, max }) => span([min, max]) },
      { title: 'Zeros', cell: ({ zeros }) => formatPercent(zeros) },
    ],
    weights,
  )
}

export function operatorTable(operators: readonly OperatorRow[]): Markup {
  return tableOf<OperatorRow>(
    [
      { title: 'Operator', text: true, cell: ({ operator }) => operator },
      ...COMPUTATIONS.map((how) => ({
        title: how,
        cell: ({ counts }: OperatorRow) => (counts[how] === 0 ? '' : counts[how]),
      })),
    ],
    operators,
  )
}

function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const attribute = ({ text }: Column<Row>) => (text ? null : markup` class="number"`)
  return markup`<div class="scroll"><table><thead><tr>${columns.map((column) => markup`<th${attribute(column)}>${column.title}</th>`)}</tr></thead><tbody>
${rows.map((row) => markup`<tr>${columns.map((column) => markup`<td${attribute(column)}>${column.cell(row)}</td>`)}</tr>\n`)}</tbody></table></div>`
}

function nameCell(name: string): Markup {
  return markup`<span title="${name}">${shortName(name, 48)}</span>`
}

function orDash<T>(value: T | null, print: (value: T) => string): string {
  return value === null ? '—' : print(value)
}

function span([low, high]: readonly [number, number]): string {
  return `${figure(low)} … ${figure(high)}`
}
