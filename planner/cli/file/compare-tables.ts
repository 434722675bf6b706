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
import { cell } from '../program/cell.ts'
import { table } from '../program/io.ts'

/** Names grow with what a converter fused; both ends tell most. */
const NAME_LENGTH = 44

/** For people: every quantized model's figures, worst layers, weights and operators. */
export function printComparison(comparison: Comparison, worst: number): string {
  return comparison.quantized
    .map((one) =>
      [
        `${one.file} beside ${comparison.float.file}, ${comparison.samples} samples`,
        summaryTable(comparison, one),
        `Worst activations (${Math.min(worst, one.layers.length)} of ${one.layers.length})`,
        layerTable(worstFirst(one.layers).slice(0, worst)),
        `Worst weights (${Math.min(worst, one.weights.length)} of ${one.weights.length})`,
        weightTable(worstWeights(one.weights).slice(0, worst)),
        'Operators',
        operatorTable(one),
      ].join('\n\n'),
    )
    .join('\n\n')
}

function summaryTable({ float }: Comparison, one: QuantizedComparison): string {
  const { quality, latency, computing } = one
  const share = (value: number | null) => cell(value, (fraction) => formatPercent(fraction, 2))
  return table(
    ['MEASURE', 'VALUE'],
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
  )
}

/** What was asked for stands before what always is. */
function metricRows(metric: QuantizedComparison['quality']['metric']): string[][] {
  if (metric === undefined) return []
  const print = (value: number | null) => cell(value, (one) => formatMetric(metric, one))
  return [
    [
      `${metric.text} (${metric.direction} is better)`,
      `${print(metric.value)} (float: ${print(metric.reference)})`,
    ],
  ]
}

function layerTable(layers: readonly LayerComparison[]): string {
  const head = [
    '#',
    'ACTIVATION',
    'OPERATOR',
    'ON',
    'SQNR',
    'MAX ERROR',
    'MEAN ERROR',
    'TYPE',
    'SCALE',
    'ZERO',
    'HOLDS',
    'FLOAT RANGE',
    'CLIPPED',
  ]
  return table(
    head,
    layers.map((layer) => [
      String(layer.order),
      shortName(layer.name),
      layer.operator,
      layer.computes,
      decibels(layer.sqnrDb),
      figure(layer.maxAbsError),
      figure(layer.meanError),
      layer.type,
      cell(layer.scale, figure),
      cell(layer.zeroPoint, String),
      cell(layer.holds, span),
      span([layer.min, layer.max]),
      formatPercent(layer.clipped, 2),
    ]),
  )
}

function weightTable(weights: readonly WeightComparison[]): string {
  const head = ['LAYER', 'OPERATOR', 'ROLE', 'SQNR', 'TYPE', 'SCALES', 'RANGE', 'ZEROS']
  return table(
    head,
    weights.map((weight) => [
      shortName(weight.layer),
      weight.operator,
      weight.role,
      decibels(weight.sqnrDb),
      weight.type,
      cell(weight.scales, ({ count, min, max, axis }) =>
        axis === null ? figure(min) : `${count} along axis ${axis}: ${span([min, max])}`,
      ),
      span([weight.min, weight.max]),
      formatPercent(weight.zeros),
    ]),
  )
}

function operatorTable({ operators }: QuantizedComparison): string {
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
