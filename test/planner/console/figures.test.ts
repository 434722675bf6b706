import t from 'tap'
import { intervalOf, qualityOf } from '../../../planner/console/figures/candidates.ts'
import { gateRows } from '../../../planner/console/figures/gate-figures.ts'
import { paretoFront } from '../../../planner/console/figures/pareto-front.ts'
import { scale, ticks } from '../../../planner/console/figures/ticks.ts'
import { visibleRows } from '../../../planner/console/figures/visible-rows.ts'
import { waveProgress } from '../../../planner/console/figures/wave-progress.ts'
import { typedSelector, typedWaves } from '../../../planner/console/figures/waves-text.ts'
import { ago, count, counted } from '../../../planner/console/figures/wording.ts'
import { parseSelector } from '../../../planner/groups/index.ts'
import { judgeGate } from '../../../planner/rollout/gates.ts'
import {
  DEFAULT_GATE,
  MEMBER_STATES,
  parseWaves,
  standingOf,
} from '../../../planner/rollout/index.ts'

t.test('of a long list only the rows in sight exist', async (t) => {
  const sight = { top: 36_000, height: 720 }
  const { first, last } = visibleRows(10_000, 36, sight)
  t.ok(first <= 1_000 && last >= 1_020, 'what is in sight exists')
  t.ok(last - first < 60, `${last - first} rows`)
  t.strictSame(visibleRows(0, 36, { top: 0, height: 720 }), { first: 0, last: 0 })
  t.equal(visibleRows(5, 36, { top: 90_000, height: 720 }).last, 5, 'scrolled beyond the end')
})

t.test('the front holds what nothing beats in everything', async (t) => {
  const all = [
    { name: 'float32', latencyMs: 10, bytes: 400, quality: 0.95 },
    { name: 'int8', latencyMs: 4, bytes: 100, quality: 0.94 },
    { name: 'beaten', latencyMs: 5, bytes: 120, quality: 0.93 },
    { name: 'small', latencyMs: 9, bytes: 60, quality: 0.9 },
    { name: 'unmeasured', latencyMs: null, bytes: 10, quality: 0.9 },
    { name: 'twin of int8', latencyMs: 4, bytes: 100, quality: 0.94 },
  ]
  const names = paretoFront(all).map(({ name }) => name)
  t.strictSame(names, ['float32', 'int8', 'small', 'twin of int8'])
})

t.test('axes have round numbers that span what is shown', async (t) => {
  t.strictSame(ticks(0, 0.3, 4), [0, 0.1, 0.2, 0.3])
  t.strictSame(ticks(0, 7, 5), [0, 2, 4, 6, 8])
  for (const [low, high] of [
    [3, 3],
    [0, 0],
    [0.912, 0.934],
    [-5, 1e9],
  ] as const) {
    const marks = ticks(low, high)
    t.ok((marks[0] ?? 1) <= low && (marks.at(-1) ?? -1) >= high, `${low}…${high}: ${marks}`)
    t.ok(marks.length >= 2 && marks.length < 12)
  }
  t.strictSame(ticks(0, Number.NaN), [])
  t.equal(scale([5, 5], [0, 10])(5), 5, 'a domain without length')
})

t.test('each state of a member is counted as the gate counts it', async (t) => {
  for (const state of MEMBER_STATES) {
    const [wave] = waveProgress('100%', [{ wave: 1, state, devices: 7 }])
    const part = {
      'under-way': 'moving',
      active: 'active',
      failed: 'failed',
      aside: 'aside',
    } as const
    t.equal(wave?.[part[standingOf(state)]], 7, state)
  }
  t.strictSame(
    waveProgress('site in (a,b),10%,100%', []).map(({ text }) => text),
    ['site in (a,b)', '10%', '100%'],
  )
})

t.test('a gate is shown as it is judged', async (t) => {
  for (const [active, failed] of [
    [0, 0],
    [3, 0],
    [1, 2],
    [0, 3],
    [90, 10],
    [60, 40],
    [8, 2],
  ] as const) {
    const tally = { active, failed }
    const { kind } = judgeGate(DEFAULT_GATE, tally)
    const [success, failure] = gateRows(DEFAULT_GATE, tally)
    t.equal(failure?.holds === false, kind === 'abort', `${active} active, ${failed} failed: abort`)
    if (kind !== 'abort')
      t.equal(success?.holds === true, kind === 'passed', `${active}, ${failed}`)
  }
})

t.test('waves and selectors are read as the command line reads them', async (t) => {
  for (const text of ['1,10%,100%', 'site=pilot,100%', ' 5 , 50% , 100% ', '100%']) {
    t.strictSame(typedWaves(text), { value: parseWaves(text) }, text)
  }
  for (const text of [
    '',
    '10%',
    '0,100%',
    'x,100%',
    '101%',
    '1.5,100%',
    '100%,50%',
    'site=,100%',
  ]) {
    t.match(typedWaves(text), { problem: String }, text)
  }
  for (const text of ['site=hall-2', 'site=hall-2,line!=3', 'a.b=c & d!=e']) {
    t.strictSame(typedSelector(text), { value: parseSelector(text) }, text)
  }
  t.strictSame(typedSelector(' '), { value: [] })
  t.match(typedSelector('site'), { problem: /“site”/ })
})

t.test(
  'quality is the metric, else accuracy, else agreement; intervals are of what counts',
  async (t) => {
    const measured = { accuracy: 0.9, agreement: 0.99 }
    t.strictSame(qualityOf({ host: null, measured }), { name: 'accuracy', value: 0.9 })
    t.equal(qualityOf({ host: { accuracy: null, agreement: 0.98 }, measured })?.value, 0.98)
    const metric = { value: 0.7, direction: 'higher', unit: 'share' }
    t.equal(qualityOf({ host: { ...measured, metric }, measured })?.name, 'metric')
    t.equal(qualityOf({ host: null, measured: null }), null)
    const counted = { counts: true, p50Ms: 4.1, ci95: [4, 4.3] as const }
    const all = [
      { ...counted, p50Ms: 9, ci95: [8, 10] as const },
      counted,
      { ...counted, p50Ms: 4, counts: false },
    ]
    t.strictSame(intervalOf(4, all), [4, 4.3])
    t.equal(intervalOf(null, all), null)
  },
)

t.test('numbers and times in words', async (t) => {
  const now = Date.parse('2026-11-29T12:00:00Z')
  t.equal(ago('2026-11-29T11:59:30Z', now), '30 s')
  t.equal(ago('2026-11-29T10:00:00Z', now), '2 h')
  t.equal(ago('2026-11-29T13:00:00Z', now), '0 s', 'a clock that runs ahead')
  t.equal(count(10_000).length, 6)
  t.equal(counted(1, 'device'), '1 device')
})
