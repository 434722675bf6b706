import t from 'tap'
import { DEFAULT_GATE } from '../../../planner/rollout/gates.ts'
import { standingOf } from '../../../planner/rollout/members.ts'
import { planRollout } from '../../../planner/rollout/plan.ts'
import { type Member, populationAmong } from '../../../planner/rollout/population.ts'
import type { RolloutView } from '../../../planner/rollout/view.ts'
import { parseWaves } from '../../../planner/rollout/waves.ts'

const members = (...states: Member['state'][]): Member[] =>
  states.map((state, i) => ({ device: `m${i}`, online: true, state, forgiven: false }))
const away = (list: Member[]): Member[] => list.map((m) => ({ ...m, online: false }))
const outside = (n: number, online = true) =>
  Array.from({ length: n }, (_, i) => ({ device: `o${i}`, online }))

/** Device by device, as tests tell it; the plan is made of how many they are. */
interface Told extends Omit<RolloutView, 'population' | 'roll'> {
  readonly members: readonly Member[]
  readonly outside: readonly { readonly device: string; readonly online: boolean }[]
}

const planned = ({ members, outside, ...rest }: Told) =>
  planRollout({ ...rest, population: populationAmong(members, outside), roll: null })

const base: Told = {
  state: 'running',
  wave: 0,
  waves: parseWaves('1,10%,100%'),
  gate: DEFAULT_GATE,
  approval: false,
  members: [],
  outside: [],
  watch: null,
}

const rows: { name: string; view: Partial<Told>; steps: string[]; reason?: RegExp }[] = [
  { name: 'the canary is one device', view: { outside: outside(30) }, steps: ['enlist 1'] },
  { name: 'a fleet of one is its own canary', view: { outside: outside(1) }, steps: ['enlist 1'] },
  {
    name: 'a wave that does badly in the field is taken back, however well it installed',
    view: {
      members: members('active'),
      outside: outside(9),
      watch: { kind: 'broken', reason: 'drift 0.6' },
    },
    steps: ['health-broken'],
    reason: /drift 0.6/,
  },
  {
    name: 'no wave opens while the one before is watched',
    view: {
      members: members('active'),
      outside: outside(9),
      watch: { kind: 'watching', reason: 'for 1h more' },
    },
    steps: ['wait'],
    reason: /for 1h more/,
  },
  {
    name: 'the last wave is watched, too',
    view: {
      wave: 2,
      members: members('active', 'active'),
      watch: { kind: 'watching', reason: 'for 1h more' },
    },
    steps: ['wait'],
  },
  {
    name: 'where nobody observes an operator decides',
    view: {
      members: members('active'),
      outside: outside(9),
      watch: { kind: 'unknown', reason: 'no device told of drift' },
    },
    steps: ['gate-failed'],
    reason: /no device told/,
  },
  {
    name: 'a wave that did well is followed by the next',
    view: { members: members('active'), outside: outside(9), watch: { kind: 'good' } },
    steps: ['wave-passed'],
  },
  {
    name: 'nobody online: it says what it waits for',
    view: { outside: outside(3, false) },
    steps: ['wait'],
    reason: /no device of the class is online \(3 offline\)/,
  },
  {
    name: 'the canary is drawn from those online',
    view: { outside: [...outside(2, false), { device: 'z', online: true }] },
    steps: ['enlist 1'],
  },
  {
    name: 'under way: wait, and say for whom',
    view: { members: members('downloading'), outside: outside(5) },
    steps: ['wait'],
    reason: /devices are on the way/,
  },
  {
    name: 'a canary that went offline is replaced',
    view: { members: away(members('downloading')), outside: outside(5) },
    steps: ['enlist 1'],
  },
  {
    name: 'a canary that nothing fits is replaced',
    view: { members: members('unfit'), outside: outside(5) },
    steps: ['enlist 1'],
  },
  {
    name: 'the canary runs: the next wave opens',
    view: { members: members('active'), outside: outside(5) },
    steps: ['wave-passed'],
  },
  {
    name: 'with approval an operator opens it',
    view: { members: members('active'), outside: outside(5), approval: true },
    steps: ['approval-needed'],
  },
  {
    name: 'a tenth of 31 is four in all',
    view: { wave: 1, members: members('active'), outside: outside(30) },
    steps: ['enlist 3'],
  },
  {
    name: 'a failed canary pauses the rollout, it does not abort on one sample',
    view: { members: members('rolled-back'), outside: outside(5) },
    steps: ['gate-failed'],
    reason: /0 of 1 devices succeeded, 90 % wanted/,
  },
  {
    name: 'failures beyond doubt abort',
    view: { wave: 1, members: members('active', 'failed', 'failed'), outside: outside(9) },
    steps: ['too-many-failures'],
    reason: /2 of 3 devices failed/,
  },
  {
    name: 'they abort while others are still under way',
    view: { wave: 2, members: members('failed', 'refused', 'failed', 'downloading') },
    steps: ['too-many-failures'],
  },
  {
    name: 'and while the operator has it paused',
    view: { state: 'paused', wave: 2, members: members('failed', 'refused', 'failed') },
    steps: ['too-many-failures'],
  },
  {
    name: 'failures the operator resumed past are not counted again',
    view: {
      members: members('failed').map((m) => ({ ...m, forgiven: true })),
      outside: outside(5),
    },
    steps: ['wave-passed'],
  },
  {
    name: 'the last wave takes every device online',
    view: {
      wave: 2,
      members: members('active'),
      outside: [...outside(2), { device: 'q', online: false }],
    },
    steps: ['enlist 2'],
  },
  {
    name: 'all settled: done, though some are offline',
    view: { wave: 2, members: members('active', 'active'), outside: outside(2, false) },
    steps: ['all-settled'],
    reason: /2 offline will be served when they appear/,
  },
  {
    name: 'one failure in the last wave does not keep it from being done',
    view: { wave: 2, members: members('active', 'active', 'failed') },
    steps: ['all-settled'],
    reason: /every device is settled/,
  },
  {
    name: 'a member offline in mid-download does not hold up the end',
    view: { wave: 2, members: [...members('active'), ...away(members('downloading'))] },
    steps: ['all-settled'],
    reason: /1 offline/,
  },
  {
    name: 'done still serves a device that appears',
    view: { state: 'done', wave: 2, members: members('active'), outside: outside(1) },
    steps: ['enlist 1'],
  },
  {
    name: 'done and quiet',
    view: { state: 'done', wave: 2, members: members('active') },
    steps: [],
  },
  { name: 'paused does nothing', view: { state: 'paused', outside: outside(3) }, steps: [] },
  {
    name: 'waiting for approval does nothing',
    view: { state: 'awaiting-approval', members: members('active'), outside: outside(3) },
    steps: [],
  },
  { name: 'aborted does nothing', view: { state: 'aborted', outside: outside(3) }, steps: [] },
  {
    name: 'a class in which nothing fits anyone ends',
    view: { wave: 2, members: members('unfit', 'unfit') },
    steps: ['all-settled'],
  },
]

for (const { name, view, steps, reason } of rows) {
  t.test(name, async (t) => {
    const plan = planned({ ...base, ...view })
    t.same(
      plan.map((s) =>
        s.kind === 'enlist' ? `enlist ${s.most}` : s.kind === 'event' ? s.event : s.kind,
      ),
      steps,
    )
    const [first] = plan
    if (reason && first && 'reason' in first) t.match(first.reason, reason)
    if (reason) t.ok(first && 'reason' in first)
  })
}

t.test('any class and any honest devices: the rollout ends, canary first', async (t) => {
  for (const size of [1, 2, 3, 7, 10, 11, 100]) {
    let view: Told = { ...base, outside: outside(size) }
    const reach: number[] = []
    for (let i = 0; view.state !== 'done'; i += 1) {
      if (i > 1000) throw new Error('endless')
      for (const step of planned(view)) {
        if (step.kind === 'enlist') {
          const joined = view.outside.slice(0, step.most).map(({ device, online }) => {
            return { device, online, state: 'active', forgiven: false } as const
          })
          view = {
            ...view,
            members: [...view.members, ...joined],
            outside: view.outside.slice(step.most),
          }
        } else if (step.kind === 'event') {
          reach.push(view.members.length)
          view =
            step.event === 'all-settled'
              ? { ...view, state: 'done' }
              : { ...view, wave: view.wave + 1 }
        }
      }
    }
    t.equal(reach[0], 1, 'one canary')
    t.equal(reach.at(-1), size)
    t.equal(reach[1], Math.max(1, Math.ceil(size / 10)))
    t.ok(view.members.every((m) => standingOf(m.state) === 'active'))
  }
})
