import t from 'tap'
import { dropOnHost, judgeOnHost } from '../../../planner/probing/host-verdict.ts'
import { measuredRow } from '../../../planner/probing/measured-row.ts'
import type { DeviceRecord } from '../../../planner/probing/summarise.ts'
import { brokenConstraints } from '../../../planner/selection/constraints.ts'
import type { Constraints } from '../../../planner/selection/measured.ts'
import type { QualityRecord } from '../../../shared/measure/index.ts'
import { record as probeRecord } from '../conductor/scripted-fleet.ts'

/** What a detector gives: no classes, but a metric. */
function record(value: number | null, reference: number | null, lower = false): QualityRecord {
  return {
    samples: 64,
    accuracy: null,
    accuracyCi95: null,
    referenceAccuracy: null,
    agreement: null,
    agreementCi95: null,
    sqnrDb: 12,
    maxAbsError: 1,
    meanAbsError: 0.1,
    outputs: [],
    notFinite: 0,
    mcnemar: null,
    metric: {
      text: lower ? 'rmse,output=y' : 'map,layout=yolox',
      direction: lower ? 'lower' : 'higher',
      unit: lower ? 'number' : 'share',
      value,
      reference,
    },
    notes: [],
  }
}

const LATENCY = { p50Ms: 1, ci95: [1, 1] as [number, number], ratio: null, on: [] }
const CONSTRAINTS: Constraints = {
  maxAccuracyDrop: 0.02,
  maxLatencyMs: null,
  maxMemoryBytes: null,
  maxBytes: null,
}

/** What a device reaches on the whole slice. */
function answered({ samples, metric }: QualityRecord, value: number): DeviceRecord {
  const base = probeRecord(1, null)
  const quality = { ...base.quality, samples, ...(metric && { metric: { ...metric, value } }) }
  return { device: 'a', record: { ...base, quality } }
}

function row(whole: QualityRecord, slice: QualityRecord, device: number | null) {
  return measuredRow({
    key: 'k',
    scheme: 'static-w8a8',
    runtime: 'onnxruntime',
    bytes: 1,
    yardstick: null,
    host: { whole, slice },
    summary: {
      latency: LATENCY,
      memoryBytes: 1,
      records: device === null ? [] : [answered(slice, device)],
      devices: 1,
      notes: [],
    },
  })
}

t.test(
  'a detector is selected by its metric, and devices correct what the host measured',
  async (t) => {
    const host = row(record(0.35, 0.36), record(0.4, 0.41), null)
    t.match(host.quality, { basis: 'metric', metric: { value: 0.35 } })
    t.ok(Math.abs((host.quality.drop ?? 0) - 0.01) < 1e-12)
    t.same(brokenConstraints(host, CONSTRAINTS, { storageBytes: null, memoryBytes: null }), [])
    const worse = row(record(0.35, 0.36), record(0.4, 0.41), 0.38)
    t.ok(Math.abs((worse.quality.drop ?? 0) - 0.03) < 1e-12, 'two points worse than this host')
    t.same(brokenConstraints(worse, CONSTRAINTS, { storageBytes: null, memoryBytes: null }), [
      'loses 3.0 pt of map, budget 2.0 pt',
    ])
  },
)

t.test('where lower is better, more is a loss', async (t) => {
  const { quality } = row(record(1.1, 1, true), record(1.1, 1, true), 1.2)
  t.ok(Math.abs((quality.drop ?? 0) - 0.2) < 1e-12, `${quality.drop}`)
  t.match(quality.metric, { direction: 'lower', unit: 'number' })
})

t.test('what loses many times too much is sent to no device', async (t) => {
  t.match(judgeOnHost(record(0.1, 0.36), 0.02), { send: false, reason: /loses 26\.0 pt/ })
  t.match(judgeOnHost(record(0.33, 0.36), 0.02), { send: true })
  t.ok(Math.abs((dropOnHost(record(0.33, 0.36)) ?? 0) - 0.03) < 1e-12, 'a mixture is tried')
  t.equal(dropOnHost(record(null, null)), null, 'not measured')
})
