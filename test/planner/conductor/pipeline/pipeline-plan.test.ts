import t from 'tap'
import {
  type PipelineView,
  planPipeline,
} from '../../../../planner/conductor/pipeline/pipeline-plan.ts'
import { USUAL_RULES } from '../../probing/usual-rules.ts'
import { record } from '../scripted-fleet.ts'
import { base, before, candidate, device, probe } from './pipeline-views.ts'

const rows: {
  name: string
  view: Partial<PipelineView>
  steps: string[]
  waits?: RegExp
  stuck?: boolean
  /** Why the first that was spared was. */
  spared?: RegExp
}[] = [
  { name: 'a selection ends it', view: { hasSelection: true }, steps: [] },
  { name: 'first the candidates', view: { candidates: null }, steps: ['plan-candidates'] },
  {
    name: 'then what is not built is built, what is built is tried here',
    view: {
      candidates: [
        candidate({ scheme: 'float32', lost: null }),
        candidate({ scheme: 'float16', state: 'planned' }),
        candidate({ scheme: 'dynamic-w8', state: 'building' }),
        candidate({ scheme: 'static-w8a8', state: 'failed' }),
        candidate({ scheme: 'static-w8a16', kept: false }),
      ],
    },
    steps: ['evaluate float32', 'build dynamic-w8', 'wait'],
    waits: /to be built and checked on this host: float32, dynamic-w8/,
  },
  {
    name: 'integers that lose too much here: first one of mixed precision, before any device is asked',
    view: {
      candidates: [
        candidate({ scheme: 'float32' }),
        candidate({ scheme: 'static-w8a8', lost: 13 }),
      ],
    },
    steps: ['add-mixed'],
  },
  {
    name: 'one probe per device at a time, and all heats on one',
    view: { devices: [device('a'), device('b')] },
    steps: ['probe a static-w8a8', 'wait'],
    waits: /a measures static-w8a8 on litert \(2 of 2 left\)/,
  },
  {
    name: 'a device that measures is left alone',
    view: { probes: [probe('a', 'static-w8a8', 'ordered')], measuring: new Set(['a']) },
    steps: ['wait'],
  },
  {
    name: 'two models and one device: the second waits until the first was measured',
    view: { measuring: new Set(['a']) },
    steps: ['wait'],
    waits: /a measures static-w8a8 on litert/,
  },
  {
    name: 'the next when one is answered',
    view: { probes: [probe('a', 'static-w8a8', 'failed')] },
    steps: ['probe a float32', 'wait'],
    waits: /a measures float32 on litert \(1 of 2 left\)/,
  },
  {
    name: 'float32 was measured beside one that is faster: it needs no measurement of its own',
    view: { probes: [probe('a', 'static-w8a8', 'measured')] },
    steps: ['select'],
  },
  {
    name: 'float32 that is not shown to be behind is measured',
    view: {
      probes: [probe('a', 'static-w8a8', 'measured', { record: record(5, 0.97) })],
    },
    steps: ['probe a float32', 'wait'],
  },
  {
    name: 'all answered: choose',
    view: { probes: [probe('a', 'float32', 'measured'), probe('a', 'static-w8a8', 'failed')] },
    steps: ['select'],
  },
  {
    name: 'agents that share a machine take turns',
    view: { probesAtOnce: 1, measuring: new Set(['agent of another class']) },
    steps: ['wait'],
  },
  {
    name: 'no answer by the deadline: given up',
    view: {
      probes: [probe('a', 'float32', 'ordered', { deadline: before })],
      measuring: new Set(['a']),
    },
    steps: ['give-up a-float32-ordered'],
  },
  {
    name: 'asked again after no answer',
    view: { probes: [probe('a', 'static-w8a8', 'lost')] },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: 'not a third time: another device, if there is one',
    view: {
      devices: [device('a'), device('b')],
      probes: [
        ...['float32', 'static-w8a8'].flatMap((v) => [
          probe('a', v, 'lost'),
          probe('a', v, 'lost', { id: `2${v}` }),
        ]),
      ],
    },
    steps: ['probe b static-w8a8', 'wait'],
  },
  {
    name: 'a passing failure is asked again, a real one is an answer',
    view: {
      probes: [
        probe('a', 'static-w8a8', 'failed', { error: { code: 'busy', message: 'update running' } }),
      ],
    },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: 'no device could measure anything: choose from nothing, and say so',
    view: { probes: [probe('a', 'float32', 'failed'), probe('a', 'static-w8a8', 'failed')] },
    steps: ['select'],
  },
  {
    name: 'nobody online: it waits and says for whom',
    view: { devices: [device('a', { online: false })] },
    steps: ['wait'],
    waits: /waits for a device to measure on: no device of the class is online \(1 known\)/,
    stuck: true,
  },
  {
    name: 'just started, devices are given time to say birth',
    view: { devices: [device('a', { online: false })], settlingIn: true },
    steps: ['wait'],
    stuck: false,
  },
  {
    name: 'the device that measured went offline: another goes on',
    view: {
      devices: [device('a', { online: false }), device('b')],
      probes: [probe('a', 'float32', 'measured')],
    },
    steps: ['probe b static-w8a8', 'wait'],
  },
  {
    name: 'what does not fit a device is not sent there',
    view: {
      devices: [device('a', { storageBytes: 500 })],
      candidates: [
        candidate({ scheme: 'float32', bytes: 1000 }),
        candidate({ scheme: 'static-w8a8', bytes: 300 }),
      ],
    },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: 'what loses far too much here is not sent at all',
    view: {
      candidates: [
        candidate({ scheme: 'float32' }),
        candidate({ scheme: 'static-w8a8', lost: 60 }),
        candidate({ scheme: 'static-w8a8-mixed', state: 'failed' }),
      ],
      probes: [probe('a', 'float32', 'measured')],
    },
    steps: ['select'],
  },
  {
    name: 'what loses a little too much by chance is measured',
    view: {
      candidates: [
        candidate({ scheme: 'float32' }),
        candidate({ scheme: 'static-w8a8', lost: 13 }),
        candidate({ scheme: 'static-w8a8-mixed', state: 'failed' }),
      ],
      probes: [probe('a', 'float32', 'measured')],
    },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: 'NaN answers never leave this host',
    view: {
      candidates: [
        candidate({ scheme: 'float32' }),
        candidate({ scheme: 'static-w8a8', notFinite: 1 }),
      ],
      probes: [probe('a', 'float32', 'measured')],
    },
    steps: ['select'],
  },
  {
    name: 'where all lose too much, the nearest is measured so that people see it',
    view: {
      candidates: [
        candidate({ scheme: 'dynamic-w8', lost: 90 }),
        candidate({ scheme: 'static-w8a8', lost: 60 }),
        candidate({ scheme: 'static-w8a8-mixed', state: 'failed' }),
      ],
    },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: 'what computes as another does waits until that one is measured',
    view: {
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'weight-w8', state: 'planned' }),
      ],
    },
    steps: ['probe a static-w8a8', 'wait'],
  },
  {
    name: '…and is never built where that one is shown to lose to a file as small',
    view: {
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'weight-w8', state: 'planned' }),
      ],
      probes: [probe('a', 'static-w8a8', 'measured')],
    },
    steps: ['select'],
    spared:
      /^computes as float32 does on litert, which takes 2.00× the latency of static-w8a8 on litert/,
  },
  {
    name: '…and is built where that one wins: it may tie, and is smaller',
    view: {
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'weight-w8', state: 'planned' }),
      ],
      probes: [
        probe('a', 'static-w8a8', 'measured', { record: record(10, 1.6) }),
        probe('a', 'float32', 'measured'),
      ],
    },
    steps: ['build weight-w8', 'wait'],
  },
  {
    name: '…at the same time as a mixture that was added since',
    view: {
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'static-w8a8-mixed', state: 'planned' }),
        candidate({ scheme: 'weight-w8', state: 'planned' }),
      ],
      probes: [
        probe('a', 'static-w8a8', 'measured', { record: record(10, 1.6) }),
        probe('a', 'float32', 'measured'),
      ],
    },
    steps: ['build static-w8a8-mixed', 'build weight-w8', 'wait'],
  },
  {
    name: '…or where nothing else keeps the accuracy',
    view: {
      candidates: [
        candidate({ scheme: 'static-w8a8-u8s8-rr', lost: 60 }),
        candidate({ scheme: 'static-w8a8-u8s8-mixed', state: 'planned' }),
      ],
      probes: [probe('a', 'static-w8a8-u8s8-rr', 'failed')],
    },
    steps: ['build static-w8a8-u8s8-mixed', 'wait'],
  },
  {
    name: 'where size is the objective nothing waits: it is built with the rest',
    view: {
      rules: { ...USUAL_RULES, objective: 'size' },
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'weight-w8', state: 'planned' }),
      ],
    },
    steps: ['probe a static-w8a8', 'build weight-w8', 'wait'],
  },
  {
    name: 'what is built is measured while the others are built',
    view: {
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'dynamic-w8', state: 'building' }),
      ],
    },
    steps: ['probe a static-w8a8', 'build dynamic-w8', 'wait'],
  },
  {
    name: '…not before what it is measured beside',
    view: {
      candidates: [
        candidate({ scheme: 'float32', state: 'building' }),
        candidate({ scheme: 'static-w8a8' }),
      ],
    },
    steps: ['build float32', 'wait'],
  },
  {
    name: '…nor where disturbance is accepted: the builds may be what disturbs',
    view: {
      acceptNoise: true,
      candidates: [
        ...(base.candidates ?? []),
        candidate({ scheme: 'dynamic-w8', state: 'building' }),
      ],
    },
    steps: ['build dynamic-w8', 'wait'],
  },
  {
    name: 'nothing could be built: choose from nothing, and say so',
    view: { candidates: [candidate({ scheme: 'static-w8a8', state: 'failed' })] },
    steps: ['select'],
  },
]

for (const { name, view, steps, waits, stuck = false, spared } of rows) {
  t.test(name, async (t) => {
    const planned = planPipeline({ ...base, ...view })
    const printed = planned.map((step) => {
      if (step.kind === 'probe') return `probe ${step.device} ${step.variant}`
      if (step.kind === 'build' || step.kind === 'evaluate')
        return `${step.kind} ${step.variant.scheme}`
      return step.kind === 'give-up' ? `give-up ${step.probe.id}` : step.kind
    })
    t.same(printed, steps)
    const wait = planned.find((step) => step.kind === 'wait')
    if (waits) t.match(wait?.reason, waits)
    t.equal(wait?.stuck ?? false, stuck)
    const select = planned.find((step) => step.kind === 'select')
    if (spared) t.match([...(select?.spared.values() ?? [])][0], spared)
  })
}
