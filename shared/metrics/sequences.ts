import { MetricError } from './errors.ts'
import type { Meter, RealArray, RealOutput } from './meter.ts'
import { outputOf, shapeText, truthOf, wideShape } from './truth.ts'

/** Scores of each symbol at each step of a sequence. */
interface Steps {
  readonly steps: number
  readonly symbols: number
  at(step: number, symbol: number): number
}

export interface SequenceOptions {
  readonly output: string | null
  /** Whether steps or symbols come first in the output's shape. */
  readonly order: 'steps-first' | 'symbols-first'
}

/**
 * Character error rate: insertions, deletions and substitutions between the best path of CTC and the labels, over the
 * number of labels (Levenshtein 1966; Graves et al. 2006, section 3.2: repeats merged, then blanks dropped).
 * @param blank place of the blank symbol, counted from the end where negative
 */
export function characterErrorRate(options: SequenceOptions & { blank: number }): Meter {
  let [edits, symbols] = [0, 0]
  return {
    add(answer) {
      const scored = stepsOf(outputOf(answer, options.output), options)
      const blank = options.blank < 0 ? scored.symbols + options.blank : options.blank
      const wanted = symbolsOf(truthOf(answer, '', 'symbols, padded with -1'), scored)
      edits += distance(bestPath(scored, blank), wanted)
      symbols += wanted.length
    },
    score: () => {
      if (symbols > 0) return { value: edits / symbols }
      throw new MetricError('unmeasurable', 'no sample has any symbol to be read')
    },
  }
}

/** exp of the mean negative log-likelihood of the labels, one for each step; -1 is not counted. */
export function perplexity(options: SequenceOptions & { from: 'logits' | 'probabilities' }): Meter {
  let [nats, tokens] = [0, 0]
  return {
    add(answer) {
      const output = outputOf(answer, options.output)
      const scored = stepsOf(output, options)
      const labels = truthOf(answer, '', 'a token for each step, -1 where it does not count')
      if (labels.values.length !== scored.steps) throw unlike(output, labels)
      for (let step = 0; step < scored.steps; step += 1) {
        const token = labels.values[step] as number
        if (token === -1) continue
        checkSymbol(token, scored)
        nats -= logShare(scored, step, token, options.from)
        tokens += 1
      }
    },
    score: () => {
      if (tokens > 0) return { value: Math.exp(nats / tokens) }
      throw new MetricError('unmeasurable', 'no step has a token to be foretold')
    },
  }
}

function stepsOf(output: RealOutput, { order }: SequenceOptions): Steps {
  const wide = output.shape.length === 2 ? output.shape : wideShape(output.shape)
  if (wide.length !== 2) {
    throw new MetricError(
      'wrong-outputs',
      `output "${output.name}" is ${shapeText(output.shape)}: this metric takes scores of symbols at steps, two dimensions`,
    )
  }
  const { values } = output
  const [first, second] = wide as [number, number]
  return order === 'steps-first'
    ? { steps: first, symbols: second, at: (t, s) => values[t * second + s] as number }
    : { steps: second, symbols: first, at: (t, s) => values[s * second + t] as number }
}

/** @throws MetricError `wrong-labels` */
function symbolsOf({ values }: RealArray, scored: Steps): number[] {
  const symbols = Array.from(values).filter((symbol) => symbol !== -1)
  for (const symbol of symbols) checkSymbol(symbol, scored)
  return symbols
}

function checkSymbol(symbol: number, { symbols }: Steps): void {
  if (Number.isInteger(symbol) && symbol >= 0 && symbol < symbols) return
  throw new MetricError(
    'wrong-labels',
    `label ${symbol} is none of the model's ${symbols} symbols: the labels belong to another model, or the output has order=symbols-first`,
  )
}

function bestPath(scored: Steps, blank: number): number[] {
  const path: number[] = []
  let before = -1
  for (let step = 0; step < scored.steps; step += 1) {
    let best = 0
    for (let symbol = 1; symbol < scored.symbols; symbol += 1) {
      if (scored.at(step, symbol) > scored.at(step, best)) best = symbol
    }
    if (best !== before && best !== blank) path.push(best)
    before = best
  }
  return path
}

function distance(a: readonly number[], b: readonly number[]): number {
  let row = b.map((_, j) => j + 1)
  a.forEach((symbol, i) => {
    let diagonal = i
    let left = i + 1
    row = row.map((above, j) => {
      const cost = Math.min(left + 1, above + 1, diagonal + (symbol === b[j] ? 0 : 1))
      diagonal = above
      left = cost
      return cost
    })
  })
  return b.length === 0 ? a.length : (row.at(-1) as number)
}

function logShare(scored: Steps, step: number, token: number, from: string): number {
  const own = scored.at(step, token)
  if (from === 'probabilities') return Math.log(own)
  let largest = Number.NEGATIVE_INFINITY
  for (let s = 0; s < scored.symbols; s += 1) largest = Math.max(largest, scored.at(step, s))
  let sum = 0
  for (let s = 0; s < scored.symbols; s += 1) sum += Math.exp(scored.at(step, s) - largest)
  return own - largest - Math.log(sum)
}

function unlike(output: RealOutput, labels: RealArray): MetricError {
  return new MetricError(
    'wrong-labels',
    `output "${output.name}" is ${shapeText(output.shape)} and a sample has ${labels.values.length} labels: give one for each step`,
  )
}
