import { formatMetric } from '../../../shared/metrics/index.ts'
import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../shared/units.ts'
import {
  COMPUTATIONS,
  type Comparison,
  type LayerComparison,
  type QuantizedComparison,
  type WeightComparison,
  worstFirst,
  worstWeights,
} from '../../comparison/index.ts'
import { type Cell, cell, shown } from '../print/figure.ts'
import { apart, facts, type Page, type Table, table } from '../print/page.ts'

/** Names grow with what a converter fused; both ends tell most. */
const NAME_LENGTH = 44

/** For people: every quantized model's figures, worst layers, weights and operators. */
export function printComparison(comparison: Comparison, worst: number): Page {
  return apart(
    ...comparison.quantized.map((one) =>
      apart(
        `${one.file} beside ${comparison.float.file}, ${comparison.samples} samples`,
        summaryTable(comparison, one),
        `Worst activations (${Math.min(worst, one.layers.length)} of ${one.layers.length})`,
        layerTable(worstFirst(one.layers).slice(0, worst)),
        `Worst weights (${Math.min(worst, one.weights.length)} of ${one.weights.length})`,
        weightTable(worstWeights(one.weights).slice(0, worst)),
        'Operators',
        operatorTable(one),
      ),
    ),
  )
}

function summaryTable({ float }: Comparison, one: QuantizedComparison): Page {
  const { quality, latency, computing } = one
  const share = (value: number | null) =>
    shown(cell(value, (fraction) => formatPercent(fraction, 2)))
  return facts(
    [
      ['size', `${formatBytes(one.bytes)} (float: ${formatBytes(float.bytes)})`],
      ...metricRows(quality.metric),
      ['output SQNR', cell(quality.sqnrDb, decibels)],
      ['agreement', share(quality.agreement)],
      ['accuracy', `${share(quality.accuracy)} (float: ${share(quality.referenceAccuracy)})`],
      [
        'latency p50',
        cell(
          latency,
          ({ latency: own, baseline, ratio }) =>
            `${formatMs(own.p50Ms)} (float: ${formatMs(baseline.p50Ms)}; ratio ${formatRatio(ratio.p50)}, 95 %: ${formatRatio(ratio.ci95[0])} – ${formatRatio(ratio.ci95[1])})`,
        ),
      ],
      [
        'operators',
        COMPUTATIONS.filter((how) => computing[how] > 0)
          .map((how) => `${computing[how]} ${how}`)
          .join(', '),
      ],
    ],
    ['MEASURE', 'VALUE'],
  )
}

/** What was asked for stands before what always is. */
function metricRows(metric: QuantizedComparison['quality']['metric']): Cell[][] {
  if (metric === undefined) return []
  const print = (value: number | null) => shown(cell(value, (one) => formatMetric(metric, one)))
  return [
    [
      `${metric.text} (${metric.direction} is better)`,
      `${print(metric.value)} (float: ${print(metric.reference)})`,
    ],
  ]
}

/** Every layer of every model, as one list. */
export function listLayers({ quantized }: Comparison): Table {
  return table(
    ['FILE', ...LAYER_HEAD],
    quantized.flatMap(({ file, layers }) => layers.map((layer) => [file, ...layerCells(layer)])),
    { spare: LAYER_SPARE },
  )
}

const LAYER_HEAD = [
  ...['#', 'ACTIVATION', 'OPERATOR', 'ON', 'SQNR', 'MAX ERROR', 'MEAN ERROR'],
  ...['TYPE', 'SCALE', 'ZERO', 'HOLDS', 'FLOAT RANGE', 'CLIPPED'],
]
const LAYER_SPARE = [
  ...['ZERO', 'SCALE', 'MEAN ERROR', 'FLOAT RANGE', 'HOLDS', 'ON', 'TYPE', 'CLIPPED', '#'],
]

function layerTable(layers: readonly LayerComparison[]): Page {
  return table(LAYER_HEAD, layers.map(layerCells), { spare: LAYER_SPARE })
}

function layerCells(layer: LayerComparison): Cell[] {
  return [
    String(layer.order),
    shortName(layer.name),
    layer.operator,
    layer.computes,
    cell(layer.sqnrDb, decibels),
    cell(layer.maxAbsError, figure),
    cell(layer.meanError, figure),
    layer.type,
    cell(layer.scale, figure),
    cell(layer.zeroPoint, String),
    cell(layer.holds, span),
    span([layer.min, layer.max]),
    cell(layer.clipped, (share) => formatPercent(share, 2)),
  ]
}

function weightTable(weights: readonly WeightComparison[]): Page {
  const head = ['LAYER', 'OPERATOR', 'ROLE', 'SQNR', 'TYPE', 'SCALES', 'RANGE', 'ZEROS']
  return table(
    head,
    weights.map((weight) => [
      shortName(weight.layer),
      weight.operator,
      weight.role,
      cell(weight.sqnrDb, decibels),
      weight.type,
      cell(weight.scales, ({ count, min, max, axis }) =>
        axis === null ? figure(min) : `${count} along axis ${axis}: ${span([min, max])}`,
      ),
      span([weight.min, weight.max]),
      cell(weight.zeros, formatPercent),
    ]),
    { spare: ['SCALES', 'RANGE', 'ROLE', 'ZEROS'] },
  )
}

function operatorTable({ operators }: QuantizedComparison): Page {
  return table(
    ['OPERATOR', ...COMPUTATIONS.map((how) => how.toUpperCase())],
    operators.map(({ operator, counts }) => [
      operator,
      ...COMPUTATIONS.map((how) => (counts[how] === 0 ? '' : String(counts[how]))),
    ]),
  )
}

function decibels(value: number): string {
  return `${value.toFixed(1)} dB`
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function span([low, high]: readonly [number, number]): string {
  return `${figure(low)} … ${figure(high)}`
}

/** Tensor names come from a file: nothing in them may steer a terminal. */
function shortName(name: string): string {
  const printable = name.replace(/\p{C}/gu, '�')
  if (printable.length <= NAME_LENGTH) return printable
  const half = Math.floor((NAME_LENGTH - 1) / 2)
  return `${printable.slice(0, half)}…${printable.slice(-half)}`
}
