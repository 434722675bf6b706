import t from 'tap'
import { type CostFacts, fitCosts, type KnownCost } from '../../../planner/probing/cost-model.ts'
import { leastSquares } from '../../../shared/statistics/least-squares.ts'
import { seededRandom } from '../../../shared/statistics/seeded-random.ts'

const SHARE: Readonly<Record<string, number>> = { float32: 1, float16: 1.02, 'static-w8a8': 0.5 }

function facts(scheme: string, macs: number): CostFacts {
  return { scheme, target: 'litert', macs, operators: 30, bytes: macs / 4, isa: 's8s8' }
}

/** Plans of so many models, whose schemes compare as `SHARE` says, give or take. */
function plans(count: number, spread: number, seed = 1): KnownCost[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const macs = 10 ** (5 + 3 * random())
    return Object.entries(SHARE).map(([scheme, share]) => ({
      ...facts(scheme, macs),
      group: `model ${i}`,
      ms: (macs / 1e6) * share * Math.exp(spread * (2 * random() - 1)),
    }))
  }).flat()
}

t.test('what other models measured says how schemes compare, with its own error', (t) => {
  const costs = fitCosts(plans(40, 0.05))
  t.equal(costs.groups, 40)
  t.ok(costs.error && costs.error > 1 && costs.error < 1.08, `off by ${costs.error}`)
  const forecast = costs.forecast(facts('static-w8a8', 1e7), facts('float32', 1e7))
  t.ok(forecast && Math.abs(forecast.ratio - 0.5) < 0.05, `${forecast?.ratio}`)
  t.ok(forecast && forecast.low < 0.5 && forecast.high > 0.5 && forecast.high < 0.65)
  t.end()
})

t.test('bounds hold on plans that were not seen', (t) => {
  const costs = fitCosts(plans(60, 0.1))
  let outside = 0
  const unseen = plans(200, 0.1, 99)
  for (let i = 0; i < unseen.length; i += 3) {
    const [float, , integer] = unseen.slice(i, i + 3)
    const forecast = float && integer && costs.forecast(integer, float)
    if (!forecast) continue
    const truth = integer.ms / float.ms
    if (truth < forecast.low || truth > forecast.high) outside += 1
  }
  t.ok(outside <= 8, `${outside} of 200 outside`)
  t.end()
})

t.test('what was never measured is not forecast; what was seldom is not bounded', (t) => {
  const few = fitCosts(plans(4, 0.05))
  t.equal(few.forecast(facts('weight-w8', 1e7), facts('float32', 1e7)), undefined)
  const forecast = few.forecast(facts('static-w8a8', 1e7), facts('float32', 1e7))
  t.ok(forecast && forecast.low === 0 && forecast.high === Number.POSITIVE_INFINITY)
  t.equal(fitCosts([]).forecast(facts('float32', 1), facts('float16', 1)), undefined)
  t.equal(fitCosts([]).error, null)
  t.end()
})

t.test('bounded is what enough plans of the same runtimes and instruction set show', (t) => {
  const unbounded = (costs: ReturnType<typeof fitCosts>, one: CostFacts, other: CostFacts) => {
    const forecast = costs.forecast(one, other)
    return forecast?.low === 0 && forecast.high === Number.POSITIVE_INFINITY
  }
  const on = (target: string, known: readonly KnownCost[]) =>
    known.map((one) => ({ ...one, target }))
  const pair = (target: string) =>
    [facts('static-w8a8', 1e7), facts('float32', 1e7)].map((one) => ({ ...one, target }))
  const [integer, float] = pair('litert') as [CostFacts, CostFacts]

  const few = plans(12, 0.05)
  const three = fitCosts(['litert', 'onnxruntime', 'tflite'].flatMap((name) => on(name, few)))
  const [, otherFloat] = pair('tflite') as [CostFacts, CostFacts]
  t.ok(unbounded(three, integer, otherFloat), 'many pairs of 12 plans are 12 plans')

  const many = plans(30, 0.05)
  const two = fitCosts([...many, ...on('tflite', plans(12, 0.05))])
  t.notOk(unbounded(two, integer, float))
  const [otherInteger] = pair('tflite') as [CostFacts, CostFacts]
  t.ok(unbounded(two, otherInteger, otherFloat), 'another runtime is off by as much as it is')

  const isa = { isa: 'u8s8' }
  const mixed = fitCosts([
    ...many,
    ...plans(12, 0.05).map((one, i) => ({
      ...one,
      ...isa,
      group: `of another kind ${Math.floor(i / 3)}`,
    })),
  ])
  t.notOk(unbounded(mixed, integer, float))
  t.ok(unbounded(mixed, { ...integer, ...isa }, { ...float, ...isa }), 'so is another processor')
  t.end()
})

t.test('least squares find the line, and a ridge draws it to zero', (t) => {
  const rows = [1, 2, 3, 4].map((x) => [x, 1])
  const [slope = 0, offset = 0] = leastSquares(rows, [3, 5, 7, 9], 1e-9)
  t.ok(Math.abs(slope - 2) < 1e-6 && Math.abs(offset - 1) < 1e-6)
  const [drawn = 0] = leastSquares(rows, [3, 5, 7, 9], 100)
  t.ok(drawn > 0 && drawn < 1)
  t.end()
})
