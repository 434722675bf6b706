import t from 'tap'
import { type CostFacts, fitCosts, type KnownCost } from '../../../planner/probing/cost-model.ts'
import { likelyFirst, outForecast, type Prior } from '../../../planner/probing/forecasts.ts'
import type { Entrant } from '../../../planner/probing/index.ts'
import type { Measured } from '../../../planner/selection/index.ts'
import { newModel } from '../storage/sample.ts'
import { USUAL_RULES } from './usual-rules.ts'

const facts = (scheme: string): CostFacts => ({
  ...{ scheme, target: 'litert', macs: 1e7, operators: 30, bytes: 1e5 },
  isa: 's8s8',
})

/** So many plans in which float16 computes as float32 does, and int8 twice as fast, give or take. */
function known(plans: number): KnownCost[] {
  const rows = [
    ['float32', 1],
    ['float16', 1.02],
    ['static-w8a8', 0.5],
  ] as const
  return Array.from({ length: plans }, (_, i) =>
    rows.map(([scheme, share]) => ({
      ...facts(scheme),
      group: `plan ${i}`,
      ms: share * (1 + 0.02 * ((i * 7) % 5)) * (scheme === 'static-w8a8' ? 1 + 0.1 * (i % 3) : 1),
    })),
  ).flat()
}

const { wholeQuality } = newModel.reference
const entrant = (scheme: string): Entrant => ({
  ...{ key: scheme, scheme, runtime: 'litert', bytes: 1000, yardstick: 'float32' },
  host: { whole: wholeQuality, slice: wholeQuality },
})

const measured = (scheme: string, p50Ms: number): Measured => ({
  ...{ key: scheme, scheme, runtime: 'litert', bytes: 1000, memoryBytes: 1e6 },
  latency: { p50Ms, ci95: [p50Ms, p50Ms], ratio: null },
  quality: { basis: 'labels', drop: 0, accuracy: 1, agreement: 1, sqnrDb: 60 },
  ...{ devices: 1, notes: [] },
})

const ENTRANTS = ['float32', 'float16', 'static-w8a8'].map(entrant)
const prior = (plans: number): Prior => ({
  costs: fitCosts(known(plans)),
  facts: new Map(ENTRANTS.map(({ key }) => [key, facts(key)])),
})
const DUEL = {
  ...{ key: 'static-w8a8', rival: 'float32', device: 'a' },
  ratio: { p50: 0.5, ci95: [0.49, 0.51] as [number, number] },
}

t.test('float16 is not measured where int8 beats the float32 that it computes as', (t) => {
  const evidence = { measured: [measured('static-w8a8', 5)], duels: [DUEL] }
  const out = outForecast(ENTRANTS, evidence, prior(30), USUAL_RULES)
  t.equal(out.get('float16')?.by, 'static-w8a8')
  t.ok((out.get('float16')?.forecast.low ?? 0) > 1.8, 'far slower, at the least')
  t.end()
})

t.test('nothing is excluded by what is not bounded, or where something else counts', (t) => {
  const evidence = { measured: [measured('static-w8a8', 5)], duels: [DUEL] }
  t.equal(outForecast(ENTRANTS, evidence, prior(5), USUAL_RULES).size, 0, 'too few plans')
  t.equal(outForecast(ENTRANTS, evidence, undefined, USUAL_RULES).size, 0)
  const size = { ...USUAL_RULES, objective: 'size' as const }
  t.equal(outForecast(ENTRANTS, evidence, prior(30), size).size, 0)
  const inUse = { ...USUAL_RULES, incumbent: 'float16' }
  t.notOk(outForecast(ENTRANTS, evidence, prior(30), inUse).has('float16'))
  t.notOk(
    outForecast(
      ENTRANTS,
      { measured: [measured('float32', 10)], duels: [] },
      prior(30),
      USUAL_RULES,
    ).size,
    'what may be faster is measured',
  )
  t.end()
})

t.test('the likely fastest comes first, and without knowledge the order stays', (t) => {
  const order = (of: Prior | undefined) => likelyFirst(ENTRANTS, of).map(({ key }) => key)
  t.same(order(prior(30)), ['static-w8a8', 'float32', 'float16'])
  t.same(order(prior(0)), ['float32', 'float16', 'static-w8a8'])
  t.same(order(undefined), ['float32', 'float16', 'static-w8a8'])
  t.end()
})
