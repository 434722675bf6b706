import type { Finding } from '../../../shared/findings.ts'
import { formatBytes, formatMs, formatPercent } from '../../../shared/units.ts'
import {
  type Comparison,
  type QuantizedComparison,
  worstFirst,
  worstWeights,
} from '../comparison.ts'
import { baseName, decibels } from './format.ts'
import { type Markup, markup } from './markup.ts'
import { byteUnit } from './plots/axis.ts'
import { type BarRow, barPlot } from './plots/bars.ts'
import { layerErrorsPlot } from './plots/layer-errors.ts'
import { scatterPlot } from './plots/scatter.ts'
import { storagePlot } from './plots/storage.ts'
import { colourOf, STYLES } from './styles.ts'
import { layerTable, operatorTable, summaryTable, weightTable } from './tables.ts'

/** Weights listed before a reader has to ask for more. */
const WORST = 20

/** The comparison as one HTML page: no scripts, nothing loaded from anywhere, which its policy states to the browser too. */
export function renderReport(comparison: Comparison): string {
  const { float, quantized, samples, findings } = comparison
  const all = [...findings, ...quantized.flatMap((one) => one.findings)]
  const [first] = quantized
  const title =
    quantized.length === 1 && first ? baseName(first.file) : `${quantized.length} quantized models`
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title} beside ${baseName(float.file)}</title>
<style>${STYLES_MARKUP}</style>
</head>
<body>
<h1>${title}</h1>
<p>Beside the float model ${baseName(float.file)}, ${formatBytes(float.bytes)}, over ${samples} samples in the real runtime.</p>
${summaryTable(comparison)}
${all.map(findingOf)}
<h2>Error per layer</h2>
<p>Signal to quantization noise of every activation: 6 dB more is half the error. Hollow dots lie beyond the plot. Point at a dot for its name.</p>
${legendOf(quantized)}
${layerErrorsPlot(comparison)}
<h2>Size by storage type</h2>
${storagePlot(comparison)}
${quantized.length > 1 ? schemesOf(comparison) : null}
${quantized.map((one, i) => insideOf(one, colourOf(i)))}
</body>
</html>
`.text
}

/** Ours, and free of what would need escaping. */
const STYLES_MARKUP = markup([STYLES] as unknown as TemplateStringsArray)

function findingOf({ severity, message }: Finding): Markup {
  return markup`<div class="finding"><strong>${severity}</strong> ${message}</div>\n`
}

function legendOf(quantized: readonly QuantizedComparison[]): Markup {
  return markup`<div class="legend">${quantized.map(({ file }, i) => markup`<span><i style="background:${colourOf(i)}"></i>${baseName(file)}</span>`)}</div>`
}

/** One figure per panel, one row per model; the float model is grey. */
function schemesOf({ float, quantized }: Comparison): Markup {
  const rows = (figure: (one: QuantizedComparison) => Omit<BarRow, 'file' | 'colour'> | null) =>
    quantized.flatMap((one, i): BarRow[] => {
      const row = figure(one)
      return row === null ? [] : [{ ...row, file: one.file, colour: colourOf(i) }]
    })
  const grey = { file: float.file, colour: 'var(--soft)' }
  const agreement = rows(({ quality }) =>
    quality.agreement === null
      ? null
      : {
          value: quality.agreement,
          ...(quality.agreementCi95 && { interval: quality.agreementCi95 }),
        },
  )
  const errors = rows(({ quality }) => (quality.sqnrDb === null ? null : { value: quality.sqnrDb }))
  const baseline = quantized[0]?.latency?.baseline
  const latency = rows(
    ({ latency: one }) => one && { value: one.latency.p50Ms, interval: one.latency.p50Ci95 },
  )
  const sizes = [{ ...grey, value: float.bytes }, ...rows(({ bytes }) => ({ value: bytes }))]
  const times =
    baseline === undefined
      ? latency
      : [{ ...grey, value: baseline.p50Ms, interval: baseline.p50Ci95 }, ...latency]
  const percent = (value: number) => formatPercent(value)
  return markup`<h2>By scheme</h2>
<p>Lines through the marks span 95 % of what the value may truly be. Latency is of this machine, one thread, measured in turns with the float model.</p>
<div class="plots">
${barPlot({ title: 'Size', rows: sizes, print: formatBytes, from: 'zero', unit: byteUnit(float.bytes) })}
${agreement.length > 0 ? barPlot({ title: 'Agreement with float', rows: agreement, print: percent, from: 'lowest' }) : null}
${errors.length > 0 ? barPlot({ title: 'Output SQNR', rows: errors, print: decibels, from: 'zero' }) : null}
${latency.length > 0 ? barPlot({ title: 'Latency p50', rows: times, print: formatMs, from: 'zero' }) : null}
</div>`
}

function insideOf(one: QuantizedComparison, colour: string): Markup {
  const weights = worstWeights(one.weights)
  return markup`<h2>${baseName(one.file)}</h2>
<h3>Float and quantized numbers: outputs, then the worst layers</h3>
<div class="plots">${one.scatters.map((scatter) => scatterPlot(scatter, colour))}</div>
<h3>Activations, worst first</h3>
${layerTable(worstFirst(one.layers))}
<h3>Weights, worst first</h3>
<p>Biases last: they differ where they take back what rounding the weights does to the mean of their products.</p>
${weightTable(weights.slice(0, WORST))}
${weights.length > WORST ? markup`<details><summary>${weights.length - WORST} more</summary>${weightTable(weights.slice(WORST))}</details>` : null}
<h3>Operators by how they compute</h3>
${operatorTable(one.operators)}`
}
