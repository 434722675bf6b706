import type { Finding } from '../../shared/findings.ts'
import type { LayerComparison, ModelFacts } from './comparison.ts'
import type { WeightComparison } from './inside/weights.ts'
import type { OpenedModel } from './opened-model.ts'

/** Below this share of its activations found again, a model was made from another one. */
const RECOGNISED = 0.5

/** Names in one message. */
const NAMED = 5

/** Share of a tensor's numbers that may lie beyond its range before somebody should look. */
const CLIPPED = 0.01

export function isRecognised(matched: number, unmatched: number): boolean {
  return matched >= RECOGNISED * (matched + unmatched)
}

/** What a reader should know before trusting the figures, for one quantized model. */
export function comparisonFindings(
  floatFile: string,
  { file }: ModelFacts,
  layers: readonly LayerComparison[],
  weights: readonly WeightComparison[],
  unmatched: readonly string[],
): Finding[] {
  return [
    ...unmatchedFinding(file, unmatched),
    ...strangeWeights(file, floatFile, weights),
    ...layers.flatMap((layer) => notFinite(file, layer)),
    ...clippedFinding(file, layers),
  ]
}

/** A float model that is none, or of which a part is looked at. */
export function sourceFindings(float: OpenedModel): Finding[] {
  const { file, model } = float
  const own = model.findings.map((finding) => ({
    ...finding,
    message: `${file}: ${finding.message}`,
  }))
  return [...own, ...entriesFinding(float)]
}

function unmatchedFinding(file: string, unmatched: readonly string[]): Finding[] {
  if (unmatched.length === 0) return []
  return [
    {
      code: 'activations-unmatched',
      severity: 'warning',
      message: `${file} has no counterpart of ${unmatched.length} activations, which are left out: ${list(unmatched)}`,
    },
  ]
}

function entriesFinding({ file, model }: OpenedModel): Finding[] {
  if (model.entries.length < 2) return []
  return [
    {
      code: 'one-entry-compared',
      severity: 'warning',
      message: `${file} has ${model.entries.length} signatures: only the first is compared`,
    },
  ]
}

/** More noise than signal: these numbers have nothing to do with each other. */
function strangeWeights(
  file: string,
  floatFile: string,
  weights: readonly WeightComparison[],
): Finding[] {
  const matrices = weights.filter(({ role }) => role === 'weight')
  const strange = matrices.filter(({ sqnrDb }) => sqnrDb < 0)
  if (strange.length * 2 <= matrices.length) return []
  return [
    {
      code: 'weights-differ',
      severity: 'warning',
      message: `${strange.length} of ${matrices.length} weights of ${file} have nothing in common with those of ${floatFile}: it seems to be trained apart, so the errors say little`,
    },
  ]
}

function notFinite(file: string, { name, notFinite: count }: LayerComparison): Finding[] {
  const [many, whose] =
    count.quantized > count.float ? [count.quantized, file] : [count.float, 'the float model']
  if (many === 0) return []
  return [
    {
      code: 'not-finite',
      severity: count.quantized > count.float ? 'error' : 'warning',
      message: `"${name}" holds ${many} NaN or infinite numbers in ${whose}; they are left out of its error`,
      where: name,
    },
  ]
}

function clippedFinding(file: string, layers: readonly LayerComparison[]): Finding[] {
  const clipped = layers.filter((layer) => layer.clipped > CLIPPED)
  if (clipped.length === 0) return []
  return [
    {
      code: 'range-too-narrow',
      severity: 'warning',
      message: `${file}: more than ${CLIPPED * 100} % of the numbers lie beyond what an activation can hold in ${list(clipped.map(({ name }) => name))}: calibrate with data like this`,
    },
  ]
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map((name) => `"${name}"`)
  return names.length > NAMED ? `${shown.join(', ')} and others` : shown.join(', ')
}
