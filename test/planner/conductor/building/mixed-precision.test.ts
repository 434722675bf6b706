import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { CandidateView } from '../../../../planner/conductor/building/candidate-view.ts'
import {
  mixedForAccuracy,
  mixedForLatency,
} from '../../../../planner/conductor/building/mixed-precision.ts'
import type { Measured } from '../../../../planner/selection/index.ts'
import { type Probe, selections, variants } from '../../../../planner/storage/index.ts'
import type { RuntimeName } from '../../../../shared/runtime/runtime.ts'
import { askedProbe } from '../../../asked-probe.ts'
import { USUAL_RULES } from '../../probing/usual-rules.ts'
import { newModel } from '../../storage/sample.ts'
import { builtModel } from '../built-model.ts'
import { planner, record, ScriptedDevice, settle } from '../scripted-fleet.ts'

interface Row {
  scheme: string
  runtime?: RuntimeName
  /** Answers of 200 lost on the host. */
  lost?: number
  state?: 'built' | 'failed'
  kept?: boolean
  /** Of the baseline's latency; null: there is none beside it. */
  ratio?: number | null
  ms?: number
}

function candidate(row: Row) {
  const { scheme, runtime = 'onnxruntime', lost = 0, state = 'built', kept = true } = row
  const key = `${scheme} ${runtime}`
  const plan = { scheme, runtime, variant: key, kept, reason: '' }
  const whole = {
    ...newModel.reference.wholeQuality,
    mcnemar: { onlyThisRight: 0, onlyReferenceRight: lost, pValue: 1 },
  }
  const evaluation = { variant: key, whole, slice: whole, selfTest: 's' }
  const variant = { key, source: 's', scheme, runtime, state, digest: 'd', bytes: 9, tuning: null }
  return {
    plan,
    variant: { ...variant, findings: [], losses: [], error: null, buildMs: null },
    evaluation: state === 'built' ? evaluation : undefined,
  } satisfies CandidateView
}

function probesOf(rows: readonly Row[]): Probe[] {
  return rows.flatMap(({ scheme, runtime = 'onnxruntime', ratio, ms = 10 }) =>
    ratio === undefined
      ? []
      : [
          {
            ...{ id: scheme, model: 'm', class: 'c', round: 1, device: 'a', state: 'measured' },
            ...{ orderedAt: '', deadline: '', finishedAt: null, error: null },
            variant: `${scheme} ${runtime}`,
            rival: `float32 ${runtime}`,
            record: record(ms, ratio),
          } as Probe,
        ],
  )
}

function measured(key: string, runtime: RuntimeName, p50Ms: number): Measured {
  const ci95: [number, number] = [0.99 * p50Ms, 1.01 * p50Ms]
  return {
    ...{ key, scheme: 'float32', runtime, bytes: 400_000, memoryBytes: 60e6 },
    latency: { p50Ms, ci95, ratio: null, on: [{ device: 'a', p50Ms, ci95, ratio: null }] },
    quality: { basis: 'labels', drop: 0, accuracy: 0.9, agreement: 1, sqnrDb: 60 },
    devices: 1,
    notes: [],
  }
}

t.test(
  'what loses more than allowed on this host gets a mixed-precision candidate, in every runtime',
  async (t) => {
    const found = mixedForAccuracy(
      [
        candidate({ scheme: 'float32' }),
        candidate({ scheme: 'static-w8a8-u8s8', lost: 3 }),
        candidate({ scheme: 'static-w8a8', runtime: 'litert', lost: 8 }),
        candidate({ scheme: 'dynamic-w8', lost: 50 }),
        candidate({ scheme: 'static-w8a8-s8s8', lost: 2 }),
      ],
      0.01,
    )
    t.match(found, [
      {
        scheme: 'static-w8a8-u8s8-mixed',
        runtime: 'onnxruntime',
        tuning: { maxDrop: 0.01 },
        reason:
          /static-w8a8-u8s8 loses 1.5 pt on this host, budget 1.0 pt: operators that cost most/,
      },
      { scheme: 'static-w8a8-mixed', runtime: 'litert', reason: /loses 4.0 pt/ },
    ])
    t.equal(found.length, 2)
  },
)

t.test('a mixed-precision candidate is added once', async (t) => {
  const mixed = { scheme: 'static-w8a8-mixed', runtime: 'litert', state: 'failed' } as const
  const integer = { scheme: 'static-w8a8', runtime: 'litert', lost: 8 } as const
  t.same(mixedForAccuracy([integer, mixed].map(candidate), 0.01), [])
  const dropped = { ...mixed, kept: false }
  t.equal(mixedForAccuracy([integer, dropped].map(candidate), 0.01).length, 1)
  const elsewhere = { ...mixed, runtime: 'onnxruntime' } as const
  t.equal(mixedForAccuracy([integer, elsewhere].map(candidate), 0.01).length, 1)
})

t.test('integers that devices measured to be no faster than float32 get one', async (t) => {
  const input = { ...USUAL_RULES, candidates: [] }
  const latency = (...rows: Row[]) =>
    mixedForLatency(rows.map(candidate), probesOf(rows), false, input)
  const int8 = (ratio: number | null) => ({ scheme: 'static-w8a8-u8s8', ratio })
  const float = (ratio: number | null): Row => ({ scheme: 'float32', ratio })
  t.match(latency(float(null), int8(1.29)), [
    {
      scheme: 'static-w8a8-u8s8-mixed',
      tuning: { spare: 'slow' },
      reason: /takes 1.29× the latency of float32 on onnxruntime there/,
    },
  ])
  t.equal(latency(float(null), int8(0.7)).length, 0)
  t.equal(latency({ scheme: 'float32' }, int8(1.2)).length, 0, 'float32 was not measured')
  const apart = (ms: number) => latency(float(null), { ...int8(null), ms })
  t.match(apart(13), [{ reason: /1.30×/ }], 'no baseline fits there')
  t.equal(apart(7).length, 0)
  const mixed: Row = { scheme: 'static-w8a8-u8s8-mixed', ratio: 1.1 }
  t.equal(latency(float(null), int8(1.29), mixed).length, 0, 'nothing more is tried')
  const lite = { scheme: 'static-w8a8', runtime: 'litert', ratio: 1.3 } as const
  const liteFloat = { scheme: 'float32', runtime: 'litert', ratio: null } as const
  t.equal(latency(liteFloat, lite).length, 0, "LiteRT's kernels are not known so well")
})

t.test('no mixture is built where float32 is too far behind the leader for any', async (t) => {
  const rows: Row[] = [
    { scheme: 'float32', ratio: null },
    { scheme: 'static-w8a8-u8s8', ratio: 1.29 },
  ]
  const beside = (leadsMs: number) => {
    const leader = measured('float32 litert', 'litert', leadsMs)
    const candidates = [measured('float32 onnxruntime', 'onnxruntime', 10), leader]
    return mixedForLatency(rows.map(candidate), probesOf(rows), false, {
      ...USUAL_RULES,
      candidates,
    })
  }
  t.equal(beside(5).length, 1, 'twice as slow: integers may be faster by more')
  t.equal(beside(1).length, 0, 'ten times as slow: no vector holds ten times as many')
})

t.test(
  'a slow integer form: mixed precision is planned for the class, and what became of it is told',
  async (t) => {
    const p = await planner(t)
    const { db } = p.conductor.context
    const device = new ScriptedDevice('a', p)
    const runtimes = [{ name: 'onnxruntime', version: '1.30.0' }] as const
    await device.join({ runtimes: [...runtimes] })
    const classId = 'raspberry-pi-4'
    const model = await builtModel(p, classId)
    await settle(p)
    const watched: string[] = []
    t.teardown(p.conductor.context.progress.listen(({ what }) => void watched.push(what)))
    for (let i = 0; i < 2; i += 1) {
      const [signed] = await device.take('probe')
      if (signed === undefined) throw new Error('no probe was ordered')
      const order = askedProbe(signed)
      const slow = order.scheme === 'float32' ? record(10, null) : record(13, 1.3)
      const { id, variant, model: name } = order
      const result = { outcome: 'measured', record: slow } as const
      await device.say({ kind: 'probe', order: id, model: name, variant, result })
    }
    // The build is a job, and fails after the turn in which it was asked for.
    let chosen = await selections.currentSelection(db, model.id, classId)
    for (let look = 0; chosen === undefined && look < 200; look += 1) {
      await sleep(20)
      await settle(p)
      chosen = await selections.currentSelection(db, model.id, classId)
    }
    const planned = await variants.candidatesOf(db, model.id, classId)
    const mixed = planned.find(({ scheme }) => scheme === 'static-w8a8-s8s8-mixed')
    t.match(mixed, { kept: true, reason: /static-w8a8-s8s8 takes 1.30× the latency of float32/ })
    t.match(watched.join('\n'), /takes 1.30× the latency .*; builds static-w8a8-s8s8-mixed/)
    const variant = await variants.findVariant(db, mixed?.variant ?? '')
    t.match(variant, { tuning: { spare: 'slow' }, state: 'failed' }, 'its source is in no store')
    t.equal(chosen?.selection.winner, 'float32')
    const verdictOn = (key = '') => chosen?.selection.rows.find((row) => row.key === key)
    t.match(verdictOn('static-w8a8-s8s8'), {
      verdict: 'dropped',
      reason: '1.30× the latency of float32 on onnxruntime',
    })
    t.match(verdictOn(variant?.key), { verdict: 'dropped', reason: /^not built: / })
  },
)
