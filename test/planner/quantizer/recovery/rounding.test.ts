import t from 'tap'
import type { MomentBlock } from '../../../../planner/quantizer/observers/statistics.ts'
import {
  closestCodes,
  costOf,
  metricOf,
} from '../../../../planner/quantizer/recovery/rounding/second-order-rounding.ts'
import { numbers } from '../model-builder.ts'

const SIZE = 24
const ROWS = 400

/** Moments of vectors whose elements have a common part: what one weight loses, another can give back. */
function related(common: number): MomentBlock {
  const noise = numbers([ROWS, SIZE + 1], -1, 1, 5)
  const sums = new Float64Array(SIZE * SIZE)
  for (let row = 0; row < ROWS; row += 1) {
    const at = (i: number) =>
      common * (noise[row * (SIZE + 1)] as number) + (noise[row * (SIZE + 1) + 1 + i] as number)
    for (let i = 0; i < SIZE; i += 1) {
      for (let j = 0; j <= i; j += 1) sums[i * SIZE + j] = (sums[i * SIZE + j] ?? 0) + at(i) * at(j)
    }
  }
  return { group: 0, start: 0, size: SIZE, sums }
}

const weights = Float64Array.from(numbers([SIZE], -100, 100, 9))

t.test('related inputs: the error of the product falls to less than a third', async (t) => {
  const metric = metricOf(related(3), ROWS)
  if (metric === null) throw new Error('there are moments')
  const nearest = weights.map(Math.round)
  const chosen = closestCodes(weights, metric, 127)
  t.ok(chosen.every((code, i) => Math.abs(code - (weights[i] as number)) < 3, 'near the weights'))
  const [before, after] = [costOf(nearest, weights, metric), costOf(chosen, weights, metric)]
  t.ok(after < before / 3, `${after} of ${before}`)
})

t.test('codes stay within their limit', async (t) => {
  const metric = metricOf(related(3), ROWS)
  if (metric === null) throw new Error('there are moments')
  const chosen = closestCodes(weights, metric, 63)
  t.equal(Math.max(...chosen.map(Math.abs)), 63)
})

t.test(
  'unrelated inputs: each weight takes its nearest code; so do most with almost no data',
  async (t) => {
    const diagonal = new Float64Array(SIZE * SIZE)
    for (let i = 0; i < SIZE; i += 1) diagonal[i * SIZE + i] = ROWS * (i + 1)
    const moved = (sums: Float64Array, rows: number) => {
      const metric = metricOf({ group: 0, start: 0, size: SIZE, sums }, rows)
      if (metric === null) throw new Error('there are moments')
      const codes = closestCodes(weights, metric, 127)
      return codes.filter((code, i) => code !== Math.round(weights[i] as number)).length
    }
    t.equal(moved(diagonal, ROWS), 0)
    const known = moved(related(3).sums, ROWS)
    // The same moments, as if a single vector had shown them.
    const guessed = moved(
      related(3).sums.map((sum) => sum / ROWS),
      1,
    )
    t.ok(guessed < known, `${guessed} codes move, ${known} with enough data`)
  },
)

t.test('inputs that were always zero decide nothing', async (t) => {
  const zeros = { group: 0, start: 0, size: SIZE, sums: new Float64Array(SIZE * SIZE) }
  t.equal(metricOf(zeros, ROWS), null)
  t.equal(metricOf(related(3), 0), null)
})
