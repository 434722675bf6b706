import t from 'tap'
import { type Grounds, judge, RULES } from '../../../agent/probe/verdict.ts'
import type { ProbeEnvironment } from '../../../shared/measure/index.ts'

const calm: ProbeEnvironment = {
  governor: 'performance',
  frequencyKhz: 1_500_000,
  maxFrequencyKhz: 1_500_000,
  hottestCelsius: 50,
  cooling: 0,
  throttleCount: 3,
  piFlags: [],
  load1: 0.1,
  availableBytes: 1e9,
  cpuTicks: null,
  cpuPressure: 0,
  memoryPressure: 0,
}

const steady = {
  threads: 1,
  latency: {
    n: 1000,
    p50Ms: 10,
    p50Ci95: [9.9, 10.1] as [number, number],
    p90Ms: 11,
    p99Ms: 12,
    minMs: 9,
    meanMs: 10,
    trend: 0.01,
    peakDistance: 1,
  },
  quality: { samples: 10, accuracy: 1, agreement: 1, sqnrDb: 30, notFinite: 0 },
  before: calm,
  after: calm,
  evidence: {
    cpuShare: 0.99,
    involuntarySwitchesPerRun: 0,
    majorFaults: 0,
    stealShare: 0,
    otherCpuShare: 0.01,
    spinSpread: 0.01,
    spinDrift: 1.01,
  },
} satisfies Grounds

/** What differs from a calm and steady measurement, and what that means. */
const stories: { name: string; given: Partial<Grounds>; verdict: string; flags: string[] }[] = [
  { name: 'nothing', given: {}, verdict: 'ok', flags: [] },
  {
    name: 'a system that tells nothing',
    given: {
      before: { ...calm, cooling: null, throttleCount: null, memoryPressure: null },
      after: { ...calm, cooling: null, throttleCount: null, memoryPressure: null },
      evidence: { ...steady.evidence, stealShare: null, otherCpuShare: null },
    },
    verdict: 'ok',
    flags: [],
  },
  {
    name: 'a saving governor',
    given: { before: { ...calm, governor: 'powersave' } },
    verdict: 'ok',
    flags: ['governor-powersave'],
  },
  {
    name: 'three runs',
    given: { latency: { ...steady.latency, n: 3 } },
    verdict: 'invalid',
    flags: ['few-runs'],
  },
  {
    name: 'NaN among the answers',
    given: { quality: { ...steady.quality, notFinite: 2 } },
    verdict: 'invalid',
    flags: ['output-not-finite'],
  },
  {
    name: 'the throttle counter grew',
    given: { after: { ...calm, throttleCount: 4 } },
    verdict: 'throttled',
    flags: ['throttle-count'],
  },
  {
    name: 'a cooler slows the processor',
    given: { after: { ...calm, cooling: 2 } },
    verdict: 'throttled',
    flags: ['cooling'],
  },
  {
    name: 'a Pi without power',
    given: { after: { ...calm, piFlags: ['undervoltage'] } },
    verdict: 'throttled',
    flags: ['pi-throttled'],
  },
  {
    name: 'slower and slower, alone',
    given: { latency: { ...steady.latency, trend: 0.2 } },
    verdict: 'throttled',
    flags: ['slowing-down', 'drift'],
  },
  {
    name: 'a few blocks that lean one way',
    given: {
      latency: { ...steady.latency, trend: 0.2, blockMediansMs: [9, 12, 10, 9.5, 11, 11.5] },
    },
    verdict: 'ok',
    flags: [],
  },
  {
    name: 'block by block slower',
    given: {
      latency: { ...steady.latency, trend: 0.2, blockMediansMs: [9, 9.4, 9.8, 10.2, 10.6, 11] },
    },
    verdict: 'throttled',
    flags: ['slowing-down', 'drift'],
  },
  {
    name: 'an interval that is wide since the decision was certain before',
    given: { latency: { ...steady.latency, p50Ci95: [8, 12], stopped: 'decided' } },
    verdict: 'ok',
    flags: [],
  },
  {
    name: 'slower and slower, beside others',
    given: {
      latency: { ...steady.latency, trend: 0.2 },
      evidence: { ...steady.evidence, otherCpuShare: 0.4 },
    },
    verdict: 'contended',
    flags: ['drift', 'busy-machine'],
  },
  {
    name: 'faster and faster',
    given: { latency: { ...steady.latency, trend: -0.2 } },
    verdict: 'noisy',
    flags: ['drift'],
  },
  {
    name: 'two clock speeds',
    given: { latency: { ...steady.latency, peakDistance: 1.3 } },
    verdict: 'noisy',
    flags: ['two-speeds'],
  },
  {
    name: 'an uncertain median',
    given: { latency: { ...steady.latency, p50Ci95: [9, 11] } },
    verdict: 'noisy',
    flags: ['wide-interval'],
  },
  {
    name: 'a slow model that ran a few times',
    given: { latency: { ...steady.latency, n: 12, p50Ci95: [9, 11], trend: 0.08 } },
    verdict: 'ok',
    flags: [],
  },
  {
    name: 'work that takes longer at the end',
    given: { evidence: { ...steady.evidence, spinSpread: 0.1, spinDrift: 1.2 } },
    verdict: 'noisy',
    flags: ['spin-spread', 'spin-drift'],
  },
  {
    name: 'a host that takes its share',
    given: { evidence: { ...steady.evidence, stealShare: 0.03 } },
    verdict: 'contended',
    flags: ['stolen'],
  },
  {
    name: 'preempted',
    given: { evidence: { ...steady.evidence, cpuShare: 0.7 } },
    verdict: 'contended',
    flags: ['preempted'],
  },
  {
    name: 'a control group with less than it wants',
    given: { before: { ...calm, quotaStops: 2 }, after: { ...calm, quotaStops: 40 } },
    verdict: 'contended',
    flags: ['cpu-quota'],
  },
  {
    name: 'a processor that may not go as fast as it can',
    given: { before: { ...calm, frequencyLimitKhz: 1_000_000 } },
    verdict: 'ok',
    flags: ['frequency-capped'],
  },
  {
    name: 'one that was slowed down meanwhile',
    given: {
      before: { ...calm, frequencyLimitKhz: 1_500_000 },
      after: { ...calm, frequencyLimitKhz: 1_000_000 },
    },
    verdict: 'throttled',
    flags: ['frequency-limit-fell'],
  },
  {
    name: 'a clock that went backwards',
    given: { latency: { ...steady.latency, clockJumps: 1 } },
    verdict: 'noisy',
    flags: ['clock-jump'],
  },
  {
    name: 'two threads that wait for each other',
    given: { threads: 2, evidence: { ...steady.evidence, cpuShare: 0.7 } },
    verdict: 'ok',
    flags: [],
  },
  {
    name: 'pages read back from disk under pressure',
    given: {
      after: { ...calm, memoryPressure: 5 },
      evidence: { ...steady.evidence, majorFaults: 3 },
    },
    verdict: 'noisy',
    flags: ['major-faults', 'memory-pressure'],
  },
]

for (const { name, given, verdict, flags } of stories)
  t.test(name, async (t) => {
    t.same(judge({ ...steady, ...given }), { verdict, flags })
  })

t.test('every rule has a story', async (t) => {
  const told = new Set(stories.flatMap((story) => story.flags))
  t.same(
    RULES.map((rule) => rule.flag).filter((flag) => !told.has(flag)),
    [],
  )
})
