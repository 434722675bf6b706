import t from 'tap'
import {
  AS_IS,
  PairStatistics,
  type Representable,
} from '../../../planner/comparison/measure/pair-statistics.ts'
import { ScatterSample } from '../../../planner/comparison/measure/scatter.ts'

const FLOATS: Representable = {
  lowest: Number.NEGATIVE_INFINITY,
  highest: Number.POSITIVE_INFINITY,
  step: 0,
}

t.test('SQNR, errors and ranges over several samples', async (t) => {
  const statistics = new PairStatistics(FLOATS, 2, 0)
  statistics.add([3, 4], AS_IS, [3.3, 4], AS_IS)
  statistics.add([0, -5], AS_IS, [0, -5.4], AS_IS)
  const { sqnrDb, maxAbsError, meanError, count, min, max } = statistics.summary()
  t.ok(Math.abs(sqnrDb - 10 * Math.log10(50 / 0.25)) < 1e-9)
  t.ok(Math.abs(maxAbsError - 0.4) < 1e-12)
  t.ok(Math.abs(meanError - -0.025) < 1e-12)
  t.same({ count, min, max }, { count: 4, min: -5, max: 4 })
})

t.test('codes are read through scale and zero point, on either side', async (t) => {
  const statistics = new PairStatistics(FLOATS, 1, 0)
  const reading = { scale: 0.5, zeroPoint: -3 }
  statistics.add(Int8Array.of(-3, -1), reading, Float32Array.of(0, 1), AS_IS)
  t.equal(statistics.summary().sqnrDb, 200)
})

t.test('numbers beyond what a type holds count as clipped; a step does not', async (t) => {
  const statistics = new PairStatistics({ lowest: -1, highest: 1, step: 0.5 }, 1, 0)
  statistics.add([-1.5, 1.6, 0, 1.24], AS_IS, [-1, 1, 0, 1], AS_IS)
  t.equal(statistics.summary().clipped, 1 / 4)
})

t.test('NaN, infinities and sentinels are counted and left out', async (t) => {
  const statistics = new PairStatistics(FLOATS, 1, 0)
  const given = [Number.NaN, 1, 2, -3.4e38]
  const expected = [1, Number.NEGATIVE_INFINITY, 2, -3.4e38]
  statistics.add(expected, AS_IS, given, AS_IS)
  const { notFinite, count, sqnrDb, max } = statistics.summary()
  t.same(notFinite, { float: 2, quantized: 2 })
  t.same({ count, sqnrDb, max }, { count: 1, sqnrDb: 200, max: 2 })
})

t.test('nothing seen is nothing found', async (t) => {
  const { count, clipped, min } = new PairStatistics(FLOATS, 1, 0).summary()
  t.same({ count, clipped, min }, { count: 0, clipped: 0, min: 0 })
})

t.test('scatter points: bounded, spread and the same every time', async (t) => {
  for (const [samples, length] of [
    [1, 5],
    [1, 100_000],
    [30, 64],
    [5000, 1000],
  ] as const) {
    const draw = () => {
      const scatter = new ScatterSample(samples, 7)
      const places: number[] = []
      for (let sample = 0; sample < samples; sample += 1) {
        const positions = scatter.positions(length)
        t.equal(new Set(positions).size, positions.length)
        places.push(...positions)
        for (const at of positions) scatter.keep(at, at)
      }
      t.ok(places.every((at) => Number.isInteger(at) && at >= 0 && at < length))
      return scatter.points()
    }
    const points = draw()
    t.same(draw(), points)
    const kept = points.float.length
    t.ok(kept > 0 && kept <= 400, `${kept} points of ${samples} × ${length}`)
    if (length > 400) {
      const beyondHalf = points.float.filter((at) => at >= length / 2).length
      t.ok(Math.abs(beyondHalf / kept - 0.5) < 0.15)
    }
  }
})
