import t from 'tap'
import type { Subject } from '../../../planner/groups/index.ts'
import { DEFAULT_GATE } from '../../../planner/rollout/gates.ts'
import { planRollout } from '../../../planner/rollout/plan.ts'
import { type Member, type Placed, populationAmong } from '../../../planner/rollout/population.ts'
import type { Roll, RolloutView } from '../../../planner/rollout/view.ts'
import { parseWaves } from '../../../planner/rollout/waves.ts'

function placed(device: string, labels: Record<string, string> = {}, online = true): Placed {
  const subject: Subject = {
    device,
    class: 'raspberry-pi-4',
    online,
    agentVersion: '0',
    runtimes: ['litert'],
    board: 'board',
    labels,
  }
  return { device, online, subject }
}
const member = (of: Placed, state: Member['state'], hadBefore = true): Member => ({
  ...of,
  state,
  hadBefore,
  forgiven: false,
})

type Told = Omit<RolloutView, 'population' | 'roll'> & Roll

const base: Told = {
  state: 'running',
  wave: 0,
  waves: parseWaves('site=pilot,50%,100%'),
  gate: { ...DEFAULT_GATE, minimumSample: 99, successShare: 0.01 },
  approval: false,
  members: [],
  outside: [],
  watch: null,
}
const said = (view: Partial<Told>) => {
  const told = { ...base, ...view }
  const population = populationAmong(told.members, told.outside)
  return planRollout({ ...told, population, roll: told }).flatMap((step) => {
    if (step.kind === 'event') return step.event
    if (step.kind === 'enlist') return (step.devices ?? []).map((device) => `enlist ${device}`)
    return step.kind === 'wait' ? step.reason : `${step.kind} ${step.device}`
  })
}

const pilot = { site: 'pilot' }
const rest = ['r1', 'r2', 'r3'].map((name) => placed(name))

t.test('a wave by label takes those who have it, however many', (t) => {
  t.same(said({ outside: [...rest, placed('p1', pilot), placed('p2', pilot)] }), [
    'enlist p1',
    'enlist p2',
  ])
  t.same(
    said({ outside: [placed('p1', pilot), placed('p2', pilot, false), ...rest] }),
    ['enlist p1'],
    'who is offline is served when it comes',
  )
  const settled = [member(placed('p1', pilot), 'active')]
  t.same(said({ members: settled, outside: rest }), ['wave-passed'])
  t.same(said({ members: settled, outside: rest, approval: true }), ['approval-needed'])
  t.same(
    said({ members: settled, outside: [...rest, placed('late', pilot)] }),
    ['enlist late'],
    'a device that gets the label joins the wave',
  )
  t.same(
    said({ members: [member(placed('p1'), 'downloading')], outside: rest }),
    ['devices are on the way'],
    'one that loses it stays, and is waited for',
  )
  t.same(said({ wave: 1, members: settled, outside: rest }), ['enlist r1'], 'half of four')
  t.end()
})

t.test(
  'a wave that nobody of the class is meant by passes; one that is only offline waits',
  (t) => {
    t.same(said({ outside: rest }), ['wave-passed'])
    t.same(said({ outside: [...rest, placed('p1', pilot, false)] }), [
      'site=pilot: 1 devices, none of them online',
    ])
    t.end()
  },
)

t.test('a rollout of which all devices are gone ends', (t) => {
  t.same(said({ wave: 2 }), ['all-settled'])
  t.end()
})

t.test('all or none of a site', (t) => {
  const waves = parseWaves('1,50%,100%')
  const at = (device: string, site: string, online = true) => placed(device, { site }, online)
  const hall1 = [at('a1', 'hall-1'), at('a2', 'hall-1')]
  const hall2 = [at('b1', 'hall-2'), at('b2', 'hall-2'), at('b3', 'hall-2', false)]
  const alone = placed('z')
  const view = { atomicBy: 'site', waves }
  t.same(
    said({ ...view, outside: [...hall2, ...hall1, alone] }),
    ['enlist a1', 'enlist a2'],
    'a wave of one takes the whole of it',
  )
  t.same(
    said({ ...view, wave: 2, outside: [...hall2, ...hall1, alone] }),
    ['enlist a1', 'enlist a2', 'enlist z'],
    'a site with one offline waits for it',
  )
  const back = hall2.map(({ device }) => at(device, 'hall-2'))
  t.same(said({ ...view, state: 'done', outside: back }), ['enlist b1', 'enlist b2', 'enlist b3'])

  const [a1, a2] = hall1 as [Placed, Placed]
  const others = [member(alone, 'active')]
  t.same(
    said({ ...view, members: [member(a1, 'active'), member(a2, 'failed'), ...others] }),
    ['withdraw a1'],
    'one fails: its mates give it back, others keep it',
  )
  t.same(said({ ...view, members: [member(a1, 'downloading', false), member(a2, 'failed')] }), [
    'withdraw a1',
  ])
  t.same(
    said({ ...view, wave: 2, members: [member(a1, 'active', false), member(a2, 'failed')] }),
    ['all-settled'],
    'who had nothing before has nothing to go back to',
  )
  const spoilt = [member(a1, 'reverted'), member(a2, 'failed'), ...others]
  t.same(
    said({ ...view, wave: 2, members: spoilt, outside: [at('a3', 'hall-1')] }),
    ['all-settled'],
    'nobody joins a site that gave it back',
  )
  t.same(
    said({ ...view, wave: 2, members: [member(a1, 'active'), ...others], outside: [a2] }),
    ['enlist a2'],
    'who gets the label later joins its site',
  )
  t.end()
})
