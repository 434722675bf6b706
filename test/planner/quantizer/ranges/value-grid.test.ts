import t from 'tap'
import { TensorObserver } from '../../../../planner/quantizer/observers/observer.ts'
import { activationParameters } from '../../../../planner/quantizer/parameters/activation.ts'
import { chooseRanges } from '../../../../planner/quantizer/ranges/choose.ts'
import { gridRange } from '../../../../planner/quantizer/ranges/value-grid.ts'
import { numbers } from '../model-builder.ts'

const EMPTY = { tensors: [], operators: [], subgraphs: [] }

function statisticsOf(values: Float32Array) {
  const observer = new TensorObserver({ tensor: 0, channels: 0, samples: 1 })
  observer.see(values, 0)
  return observer.result()
}

/** So many of the multiples from `low` to `high` of a step, in disorder. */
function multiples(step: number, low: number, high: number, count = 3000): Float32Array {
  return numbers([count], low - 0.5, high + 0.49, 9).map((value) => Math.round(value) * step)
}

/** Largest distance between a number and the nearest code, in steps of the code. */
function worstRounding(values: Float32Array, range: { min: number; max: number }): number {
  const { scales, zeroPoints } = activationParameters(range, 'int8')
  const [scale, zero] = [scales[0] ?? 0, zeroPoints[0] ?? 0]
  return values.reduce((worst, value) => {
    const code = Math.min(127, Math.max(-128, Math.round(value / scale) + zero))
    return Math.max(worst, Math.abs(value / scale - (code - zero)))
  }, 0)
}

const grids = {
  'pixels of 8 bits that never reach the end': [1, 0, 221],
  'pixels as shares of 255': [1 / 255, 0, 255],
  'cepstral coefficients below and above zero': [0.5847, -211, 36],
  'numbers below zero only': [0.25, -200, 0],
  'ten steps, which leave room between them': [0.1, -5, 5],
} as const

for (const [name, [step, low, high]] of Object.entries(grids)) {
  t.test(`codes lie on the numbers: ${name}`, async (t) => {
    const values = multiples(step, low, high)
    const statistics = statisticsOf(values)
    const range = gridRange(statistics, 255)
    t.ok(range && worstRounding(values, range) < 1e-2, 'nothing is rounded')
    const chosen = chooseRanges([statistics], 'auto', 255, EMPTY).ranges.get(0)
    t.match(chosen, { ...range, method: 'value-grid' }, 'and auto takes it')
    t.ok(range && range.max - range.min <= 2 * (high - low) * step, 'codes are not wasted')
  })
}

const others = {
  'numbers of every kind': numbers([3000], -1, 1, 4),
  'multiples that are more than codes': multiples(1, 0, 400),
  'zero lies between two of them': multiples(1, -100, 100).map((value) => value + 0.5),
  'one number': new Float32Array(50).fill(3),
  'few numbers, at uneven distances': Float32Array.of(0, 1, 2.3, 7.71),
}

for (const [name, values] of Object.entries(others)) {
  t.test(`no grid: ${name}`, async (t) => {
    t.equal(gridRange(statisticsOf(values), 255), null)
  })
}

t.test('codes of 16 bits need none', async (t) => {
  t.equal(gridRange(statisticsOf(multiples(1, 0, 200)), 65534), null)
})
