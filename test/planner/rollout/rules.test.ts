import t from 'tap'
import { judgeGate } from '../../../planner/rollout/gates.ts'
import { afterReport, type MemberState } from '../../../planner/rollout/members.ts'
import {
  nextState,
  ROLLOUT_EVENTS,
  ROLLOUT_STATES,
  ROLLOUT_TABLE,
} from '../../../planner/rollout/states.ts'
import { parseWaves, printWaves, waveTarget } from '../../../planner/rollout/waves.ts'
import type { InstallState } from '../../../shared/messages/reports.ts'

t.test('waves: read, printed, refused', async (t) => {
  for (const text of [
    '1,10%,100%',
    '100%',
    '5,50%,100%',
    '2.5%,100%',
    'site=pilot,10%,100%',
    '1,site in (a,b)&line!=c,100%',
  ]) {
    t.equal(printWaves(parseWaves(text)), text)
  }
  for (const text of [
    '',
    '1,10%',
    '0,100%',
    'all',
    '1,,100%',
    '110%',
    '-1,100%',
    '1.5,100%',
    'site=,100%',
    'site=pilot',
  ]) {
    t.throws(() => parseWaves(text), { code: 'usage' }, text)
  }
})

t.test('a wave reaches at least one device and at most all', async (t) => {
  const targets = (text: string, size: number) =>
    parseWaves(text).map((w) => ('where' in w ? 0 : waveTarget(w, size)))
  t.same(targets('1,10%,100%', 1), [1, 1, 1])
  t.same(targets('1,10%,100%', 3), [1, 1, 3])
  t.same(targets('1,10%,100%', 20), [1, 2, 20])
  t.same(targets('1,10%,100%', 21), [1, 3, 21])
  t.same(targets('50,100%', 8), [8, 8])
})

t.test('gates', async (t) => {
  const gate = { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 }
  t.equal(judgeGate(gate, { active: 9, failed: 1 }).kind, 'passed')
  t.equal(judgeGate(gate, { active: 8, failed: 1 }).kind, 'short')
  t.equal(judgeGate(gate, { active: 0, failed: 2 }).kind, 'short', 'two are no sample')
  t.equal(judgeGate(gate, { active: 0, failed: 3 }).kind, 'abort')
  t.equal(judgeGate(gate, { active: 70, failed: 30 }).kind, 'abort')
  t.equal(judgeGate(gate, { active: 7, failed: 3 }).kind, 'short', '30 % of ten may be chance')
})

t.test(
  'every operator command in every state either moves it or says what is possible',
  async (t) => {
    for (const state of ROLLOUT_STATES) {
      for (const event of ROLLOUT_EVENTS) {
        const next = ROLLOUT_TABLE[state][event]
        if (next) t.equal(nextState(state, event, 'm to c'), next)
        else t.throws(() => nextState(state, event, 'm to c'), { code: 'rollout-refused' })
      }
    }
    t.throws(() => nextState('paused', 'pause', 'motor to rpi4'), {
      message: 'rollout of motor to rpi4 is paused: cannot pause; possible: resume, abort',
    })
  },
)

t.test('reports move a member forward only', async (t) => {
  const rows: [MemberState, InstallState, MemberState | undefined][] = [
    ['ordered', 'accepted', 'accepted'],
    ['ordered', 'active', 'active'],
    ['downloading', 'accepted', undefined],
    ['downloading', 'downloading', undefined],
    ['verified', 'refused', 'refused'],
    ['active', 'downloading', undefined],
    ['active', 'rolled-back', 'rolled-back'],
    ['failed', 'active', undefined],
    ['reverting', 'downloading', undefined],
    ['reverting', 'active', 'reverted'],
    ['reverting', 'refused', 'failed'],
    ['released', 'active', undefined],
    ['unfit', 'active', undefined],
  ]
  for (const [state, reported, after] of rows) {
    t.equal(afterReport(state, reported), after, `${state} + ${reported}`)
  }
})
