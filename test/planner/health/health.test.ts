import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  appliesTo,
  count,
  DEFAULT_RULES,
  figuresOf,
  HEALTH_METRICS,
  judgeHealth,
  mergeObservations,
  parseCondition,
  parseConditions,
  printCondition,
  probePercentiles,
  QUIET,
  readRules,
} from '../../../planner/health/index.ts'
import { packDay, unpackDay } from '../../../planner/storage/packed-windows.ts'
import { digestOf } from '../../../shared/digest.ts'
import { record } from '../conductor/scripted-fleet.ts'
import { referenceOf, seenOf } from './observations.ts'

const reference = referenceOf()
const of = { variant: digestOf('v'), reference, digest: digestOf('r') }
const PROBE = { p50: 4.5, p95: 5, p99: null }

t.test('conditions: read, printed, refused', async (t) => {
  for (const text of ['drift<0.2', 'p95<1.3x', 'p99<40ms', 'not-finite<1%', 'temperature<85'])
    t.equal(printCondition(parseCondition(text)), text)
  t.equal(parseConditions('drift < 0.2, p95<1.3x').length, 2)
  for (const [text, why] of [
    ['drift>0.2', /no condition/],
    ['drift<x', /no condition/],
    ['dirft<0.2', /figures are drift, p50/],
    ['drift<2x', /no limit in x/],
    ['p95<5%', /no share/],
    ['drift<5ms', /no time/],
    ['', /no condition/],
  ] as const)
    t.throws(() => parseConditions(text), { code: 'usage', message: why })
})

t.test('figures of a window', async (t) => {
  const good = figuresOf(seenOf(of), reference, PROBE)
  t.equal(good.drift, 0)
  t.equal(good.worst.length, 2)
  t.ok((good.latencyMs?.p95 ?? 0) > 4.8 && (good.latencyMs?.p95 ?? 9) < 5.1)
  const bad = figuresOf(seenOf({ ...of, value: () => 0.01 }), reference, PROBE)
  t.ok((bad.drift ?? 0) > 1)
  t.equal(bad.worst[0]?.name, 'y')
  const few = figuresOf(seenOf({ ...of, samples: 30 }), reference, null)
  t.match(few.latencyMs, { p50: Number, p95: null, p99: null }, 'no guesses')
  t.equal(figuresOf(seenOf(of), null, null).drift, null)
  t.same(probePercentiles(record(5, null)), { p50: 5, p95: null, p99: null })
})

t.test('windows add up, and what a day keeps is what was there', async (t) => {
  const whole = mergeObservations(seenOf({ ...of, seed: 3 }), seenOf({ ...of, seed: 4 }))
  t.equal(whole.inferences, 1200)
  t.equal(
    whole.channels[0]?.reduce((a, b) => a + b, 0),
    1200,
  )
  const points: [number, number, number | null, number | null, number | null][] = [
    [600, 600, 0, 4.93, 55],
  ]
  t.same(unpackDay(packDay({ seen: whole, points }), whole.variant), { seen: whole, points })
  const other = mergeObservations({ ...whole, reference: null, channels: [] }, seenOf(of))
  t.equal(
    other.channels[0]?.reduce((a, b) => a + b, 0),
    600,
    'bins of another reference are left',
  )
})

t.test('an alarm is raised and cleared after windows in a row', async (t) => {
  const patience = { raiseAfter: 3, clearAfter: 2 }
  const states = [false, false, true, false, null, false, false, true, false, true, true].map(
    ((alarm) => (holds: boolean | null) => {
      alarm = count(alarm, holds, patience)
      return alarm.state === 'raised' ? 'R' : '-'
    })(QUIET),
  )
  t.equal(states.join(''), '------RRRR-')
})

t.test('rules in a file', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'alarms.json')
  t.same(await readRules(path), DEFAULT_RULES)
  const rule = { name: 'warm', must: 'temperature<60', raiseAfter: 1, models: ['motor'] }
  writeFileSync(path, JSON.stringify({ rules: [rule] }))
  const [read] = await readRules(path)
  t.match(read, { name: 'warm', clearAfter: 3, classes: null })
  t.ok(read && appliesTo(read, { model: 'motor', class: 'rpi4' }))
  t.notOk(read && appliesTo(read, { model: 'other', class: 'rpi4' }))
  for (const [text, why] of [
    ['{', /JSON/],
    ['{"rules":[{"name":"a"}]}', /must/],
    ['{"rules":[{"name":"a","must":"drfit<1"}]}', /figures are/],
    ['{"rules":[{"name":"a","must":"drift<1","when":1}]}', /when/],
    [JSON.stringify({ rules: [rule, rule] }), /two rules are called "warm"/],
  ] as const) {
    writeFileSync(path, text)
    await t.rejects(readRules(path), { message: why })
  }
  for (const { must } of DEFAULT_RULES) t.ok(Object.hasOwn(HEALTH_METRICS, must.metric))
})

t.test('the verdict on a wave', async (t) => {
  const gate = { watchMs: 7_200_000, conditions: [...parseConditions('drift<0.2,p95<1.3x')] }
  const good = figuresOf(seenOf(of), reference, PROBE)
  const slow = figuresOf(seenOf({ ...of, latencyMs: () => 9 }), reference, PROBE)
  const poisoned = figuresOf(seenOf({ ...of, value: () => 3 }), reference, PROBE)
  const wave = (figures: (typeof good | null)[], watchedMs: number, together = figures) => ({
    members: figures.map((one, i) => ({ device: `d${i}`, figures: one })),
    together: together.flatMap((one) => one ?? []),
    watchedMs,
    failureThreshold: 0.2,
  })
  t.match(judgeHealth(gate, wave([good, null], 3_600_000)), {
    kind: 'watching',
    reason: /1 of 2 devices do, for 1h more/,
  })
  t.same(judgeHealth(gate, wave([good, null], 7_200_000)), { kind: 'good' })
  t.match(judgeHealth(gate, wave([poisoned], 60_000)), {
    kind: 'broken',
    reason:
      /^drift [\d.]+ where drift<0.2 was asked \(y: PSI [\d.]+, KS [\d.]+, 600 samples against 500\)$/,
  })
  t.match(judgeHealth(gate, wave([slow], 60_000)), {
    kind: 'broken',
    reason: /^p95 1\.77x where p95<1.3x/,
  })
  t.match(judgeHealth(gate, wave([null, null], 7_200_001)), {
    kind: 'unknown',
    reason: /no device told of drift, p95: do its applications observe/,
  })
  // One of ten may be ill for its own reasons; four are the variant's.
  const ill = (n: number) => Array.from({ length: 10 }, (_, i) => (i < n ? slow : good))
  t.equal(judgeHealth(gate, wave(ill(1), 1, [good])).kind, 'watching')
  t.match(judgeHealth(gate, wave(ill(6), 1, [good])), {
    kind: 'broken',
    reason: /^6 of 10 devices, first d0: p95 1\.77x/,
  })
})
