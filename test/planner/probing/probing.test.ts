import t from 'tap'
import { chooseProbers, type Prober } from '../../../planner/probing/choose-probers.ts'
import { median } from '../../../planner/probing/median.ts'
import { type DeviceRecord, summarise } from '../../../planner/probing/summarise.ts'
import type { ProbeRecord } from '../../../shared/measure/probe-record.ts'
import { prober } from './prober.ts'

const traits = (memoryBytes: number) => ({ cores: 4, memoryBytes, maxMhz: 1800 })

const choices: {
  name: string
  devices: Prober[]
  sticky?: string[]
  chosen: string[]
  why?: RegExp
}[] = [
  { name: 'nobody known', devices: [], chosen: [], why: /no device of the class is known/ },
  {
    name: 'nobody online',
    devices: [prober('a', { online: false })],
    chosen: [],
    why: /no device of the class is online \(1 known\)/,
  },
  {
    name: 'at most three',
    devices: ['d', 'b', 'a', 'c'].map((id) => prober(id)),
    chosen: ['a', 'b', 'c'],
  },
  {
    name: 'the idle first',
    devices: [prober('a', { busy: 2 }), prober('b'), prober('c'), prober('d')],
    chosen: ['b', 'c', 'd'],
  },
  {
    name: 'the typical before the odd, though it is busy',
    devices: [
      prober('a', { traits: traits(1e9) }),
      prober('b', { traits: traits(8e9) }),
      prober('c', { busy: 1 }),
      prober('d', { busy: 1 }),
      prober('e', { busy: 1 }),
    ],
    chosen: ['c', 'd', 'e'],
  },
  {
    name: 'devices that measure already stay',
    devices: ['a', 'b', 'c', 'd', 'e'].map((id) => prober(id, { busy: id === 'e' ? 3 : 0 })),
    sticky: ['e'],
    chosen: ['e', 'a', 'b'],
    why: /3 of 5 devices: e, a, b/,
  },
  {
    name: 'offline ones are not waited for while others are there',
    devices: [prober('a', { online: false }), prober('b')],
    chosen: ['b'],
  },
]

for (const { name, devices, sticky = [], chosen, why } of choices) {
  t.test(`choose: ${name}`, async (t) => {
    const choice = chooseProbers(devices, new Set(sticky))
    t.same(choice.devices, chosen)
    if (why) t.match(choice.why, why)
    t.same(chooseProbers([...devices].reverse(), new Set(sticky)).devices, chosen, 'repeats')
  })
}

function record(p50: number, over: Partial<ProbeRecord> = {}): ProbeRecord {
  return {
    probeVersion: 1,
    threads: 1,
    loadMs: 10,
    firstMs: 5,
    latency: {
      n: 100,
      p50Ms: p50,
      p50Ci95: [p50 * 0.99, p50 * 1.01],
      p90Ms: null,
      p99Ms: null,
      minMs: p50,
      meanMs: p50,
    },
    ratioToBaseline: { p50: p50 / 10, ci95: [p50 / 10, p50 / 10] },
    peakMemoryBytes: p50 * 1e6,
    quality: { samples: 100, accuracy: 0.9, agreement: 0.99, sqnrDb: 30 },
    flags: [],
    verdict: 'ok',
    ...over,
  } as ProbeRecord
}

const of = (device: string, r: ProbeRecord): DeviceRecord => ({ device, record: r })

t.test('summarise: the median of the devices’ medians, the neediest device’s memory', async (t) => {
  const summary = summarise([of('a', record(5)), of('b', record(6)), of('c', record(20))])
  t.match(summary, {
    latency: { p50Ms: 6, ratio: { p50: 0.6 } },
    memoryBytes: 20e6,
    devices: 3,
    notes: [],
  })
})

t.test('summarise: a device measured again speaks once, with its newest record', async (t) => {
  const summary = summarise([of('a', record(50)), of('a', record(5)), of('b', record(7))])
  t.match(summary, { latency: { p50Ms: 6 }, devices: 2 })
})

t.test('summarise: memory beside others is none of its own', async (t) => {
  const behind = record(7, { flags: ['behind'], peakMemoryBytes: 1 })
  t.match(summarise([of('a', record(5)), of('a', behind)]), {
    latency: { p50Ms: 7 },
    memoryBytes: 5e6,
    notes: [],
  })
  t.match(summarise([of('a', behind)]), { memoryBytes: 1, notes: [/^surely slower than another/] })
})

t.test('summarise: records that are not ok are left out, and it is said', async (t) => {
  const summary = summarise([of('a', record(5)), of('b', record(9, { verdict: 'throttled' }))])
  t.match(summary, { latency: { p50Ms: 5 }, devices: 1, notes: ['left out 1 record (throttled)'] })
})

t.test(
  'summarise: where there are no others they count only if accepted, and it is said',
  async (t) => {
    const noisy = [of('a', record(5, { verdict: 'noisy' }))]
    t.equal(summarise(noisy), undefined)
    t.match(summarise(noisy, { acceptNoise: true }), {
      latency: { p50Ms: 5 },
      notes: [/every record is noisy, accepted by --accept-noise/],
    })
  },
)

t.test('summarise: invalid ones never count', async (t) => {
  const invalid = [of('a', record(5, { verdict: 'invalid' }))]
  t.equal(summarise(invalid, { acceptNoise: true }), undefined)
  t.equal(summarise([]), undefined)
})

t.test('summarise: a ratio is of the yardstick only', async (t) => {
  const beside = (rival: string | null) => ({ ...of('a', record(5)), rival })
  t.match(summarise([beside('f')], { yardstick: 'f' }), { latency: { ratio: { p50: 0.5 } } })
  t.match(summarise([beside('g')], { yardstick: 'f' }), { latency: { ratio: null } })
  t.match(summarise([of('a', record(5, { ratioToBaseline: null }))]), { latency: { ratio: null } })
})

t.test('median', async (t) => {
  t.equal(median([]), undefined)
  t.equal(median([3]), 3)
  t.equal(median([4, 1]), 2.5)
  t.equal(median([9, 1, 5]), 5)
})
