import t from 'tap'
import type { Attempt } from '../../../planner/probing/attempts.ts'
import { notBelieved } from '../../../planner/probing/liars.ts'
import type { LatencyRecord, ProbeRecord } from '../../../shared/measure/index.ts'
import { record } from '../conductor/scripted-fleet.ts'

function attempt(device: string, p50Ms: number, change: Partial<ProbeRecord> = {}): Attempt {
  return {
    ...{ variant: 'float32', rival: null, device, state: 'measured', error: null },
    record: { ...record(p50Ms, null), ...change },
    ...{ orderedAt: '2026-11-30T00:00:00.000Z', finishedAt: '2026-11-30T00:00:01.000Z' },
  }
}

const latency = (change: Partial<LatencyRecord>) => ({
  latency: { ...record(10, null).latency, ...change },
})

const CANNOT_BE: readonly (readonly [string, Partial<ProbeRecord>, RegExp])[] = [
  ['time that ran backwards', latency({ minMs: -1 }), /below zero/],
  ['a time that is no number', latency({ p50Ms: Number.NaN }), /below zero/],
  ['memory that it gives instead of takes', { peakMemoryBytes: -1 }, /below zero/],
  ['a run in no time', latency({ p50Ms: 1e-6, minMs: 1e-6, p50Ci95: [1e-6, 1e-6] }), /that short/],
  ['a fastest run slower than the middle one', latency({ minMs: 11 }), /lies outside/],
  ['an interval above its own median', latency({ p50Ci95: [11, 12] }), /lies outside/],
  ['an interval below its own median', latency({ p50Ci95: [8, 9] }), /lies outside/],
]

for (const [what, change, why] of CANNOT_BE)
  t.test(`figures that cannot be: ${what}`, async (t) => {
    const others = [attempt('b', 10), attempt('c', 10)]
    t.match([...notBelieved([attempt('a', 10, change), ...others])], [['a', why]])
  })

t.test('what nothing contradicts is believed', async (t) => {
  t.equal(notBelieved([attempt('a', 10), attempt('b', 95), attempt('c', 11)]).size, 0, 'slow')
  t.equal(notBelieved([attempt('a', 10), attempt('b', 200)]).size, 0, 'of two nobody can tell')
  const invalid = attempt('a', 10, { ...latency({ minMs: -1 }), verdict: 'invalid' })
  t.equal(notBelieved([invalid]).size, 0, 'a failed measurement is no lie')
})

t.test('ten times off all others of its class, in either direction', async (t) => {
  const others = [attempt('b', 10), attempt('c', 11)]
  for (const off of [0.9, 120])
    t.match([...notBelieved([attempt('a', off), ...others])], [['a', /where others of its class/]])
})
