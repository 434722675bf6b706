import t from 'tap'
import { TensorObserver } from '../../../../planner/quantizer/observers/observer.ts'
import type { TensorStatistics } from '../../../../planner/quantizer/observers/statistics.ts'
import { ClippingError } from '../../../../planner/quantizer/ranges/clipping.ts'
import { RANGE_METHODS, type RangeMethod } from '../../../../planner/quantizer/ranges/methods.ts'
import { numbers } from '../model-builder.ts'

function statisticsOf(...samples: Float32Array[]): TensorStatistics {
  const observer = new TensorObserver({ tensor: 0, channels: 0, samples: samples.length })
  for (const [i, sample] of samples.entries()) observer.see(sample, i)
  return observer.result()
}

/** A peak at 0 and long thin tails (Laplace), like the sums that residual networks add up. */
function longTails(): Float32Array {
  return numbers([100_000], -1, 1).map((u) => -Math.sign(u) * Math.log(1 - Math.abs(u)))
}

t.test('min-max keeps long tails; least squares cuts them', async (t) => {
  const statistics = statisticsOf(longTails())
  t.equal(RANGE_METHODS['min-max'](statistics).max, statistics.max)
  const share = RANGE_METHODS.mse(statistics, 255).max / statistics.max
  t.ok(share > 0.1 && share < 0.95, `mse keeps ${share.toFixed(2)}`)
})

t.test('entropy does without a handful of outliers', async (t) => {
  const values = longTails()
  values.fill(200, 0, 5)
  const { max } = RANGE_METHODS.entropy(statisticsOf(values))
  t.ok(max > 3 && max < 60, `keeps up to ${max.toFixed(1)}`)
})

t.test('one outlier among few numbers is kept: cutting it off would cost more', async (t) => {
  const values = numbers([2000], -1, 1)
  values[7] = 40
  t.ok(RANGE_METHODS.mse(statisticsOf(values), 255).max > 35)
})

t.test(
  'the least-squares range really has less error than min-max, measured by coding',
  async (t) => {
    const values = longTails()
    const statistics = statisticsOf(values)
    const codedError = ({ min, max }: { min: number; max: number }) => {
      const step = (max - min) / 255
      let error = 0
      for (const value of values) {
        const coded = Math.min(max, Math.max(min, Math.round(value / step) * step))
        error += (value - coded) ** 2
      }
      return error / values.length
    }
    const full = RANGE_METHODS['min-max'](statistics)
    const least = RANGE_METHODS.mse(statistics, 255)
    t.ok(codedError(least) < codedError(full), `${codedError(least)} < ${codedError(full)}`)
    const expected = new ClippingError(statistics.histogram)
    for (const range of [full, least]) {
      const ratio = expected.of(range, 255) / codedError(range)
      t.ok(ratio > 0.8 && ratio < 1.25, `expected error is near the real one: ${ratio.toFixed(3)}`)
    }
  },
)

t.test('even numbers are not cut', async (t) => {
  const { min, max } = RANGE_METHODS.mse(statisticsOf(numbers([5000], -2, 3)), 255)
  t.ok(min < -1.9 && max > 2.9)
})

t.test('percentiles leave one number in a hundred thousand outside', async (t) => {
  const values = numbers([300_000], 0, 1)
  values[5] = 100
  const { min, max } = RANGE_METHODS.percentile(statisticsOf(values))
  t.ok(max < 1.1 && min >= 0)
})

t.test('no method claims more than was seen, on any shape of numbers', async (t) => {
  const cases = {
    zeros: new Float32Array(100),
    constant: new Float32Array(100).fill(3),
    negative: numbers([100], -5, -4),
    single: Float32Array.of(-2),
    tiny: numbers([100], 0, 1e-20),
    large: numbers([100], -1e30, 1e30),
  }
  for (const [name, values] of Object.entries(cases)) {
    const statistics = statisticsOf(values)
    for (const method of Object.keys(RANGE_METHODS) as RangeMethod[]) {
      const { min, max } = RANGE_METHODS[method](statistics, 255)
      const sound =
        min <= max && min >= Math.min(0, statistics.min) && max <= Math.max(0, statistics.max)
      t.ok(sound, `${method} of ${name}: ${min}..${max}`)
    }
  }
})
