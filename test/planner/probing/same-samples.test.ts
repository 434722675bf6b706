import t from 'tap'
import { measuredRow } from '../../../planner/probing/measured-row.ts'
import { differenceFrom } from '../../../planner/probing/same-samples.ts'
import { summarise } from '../../../planner/probing/summarise.ts'
import type { Dataset } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/evaluate.ts'
import type { QualityRecord } from '../../../shared/measure/index.ts'
import { probeRecordSchema, qualityRecordSchema } from '../../../shared/measure/records.ts'
import type { Session } from '../../../shared/runtime/index.ts'
import { tensor } from '../../../shared/tensors.ts'
import { record } from '../conductor/scripted-fleet.ts'

const SAMPLES = 40
const CLASSES = 4

/** Inputs name their sample; labels and float answers are all class i mod 4. */
const dataset: Dataset = {
  samples: SAMPLES,
  inputs: new Map([
    [
      'x',
      tensor(
        'float32',
        [SAMPLES, 1],
        Float32Array.from({ length: SAMPLES }, (_, i) => i),
      ),
    ],
  ]),
  truth: new Map(),
  labels: Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
  references: new Map([
    [
      '',
      tensor(
        'float32',
        [SAMPLES, CLASSES],
        Float32Array.from({ length: SAMPLES * CLASSES }, (_, k) => {
          const sample = Math.floor(k / CLASSES)
          return k % CLASSES === sample % CLASSES ? 1 : 0
        }),
      ),
    ],
  ]),
}

/** Answers right, except for these samples. */
function session(wrong: (sample: number) => boolean, onRun: () => unknown = () => {}): Session {
  return {
    inputs: [{ name: 'x', type: 'float32', shape: [1, 1] }],
    outputs: [{ name: 'y', type: 'float32', shape: [1, CLASSES] }],
    run: async (inputs) => {
      await onRun()
      const sample = Number(inputs.x?.data[0])
      const answer = (sample + (wrong(sample) ? 1 : 0)) % CLASSES
      const scores = Float32Array.from({ length: CLASSES }, (_, i) => (i === answer ? 0.9 : 0.05))
      return { y: tensor('float32', [1, CLASSES], scores) }
    },
    close: async () => {},
  } as Session
}

const errsOn = (sample: number) => sample >= 20
const whole = () => evaluate(session(errsOn), dataset, { energies: true })
const row = (host: QualityRecord, device: QualityRecord, flags: string[] = []) => {
  const measured = { ...record(5, 0.5), quality: device, flags }
  const summary = summarise([{ device: 'slow', rival: 'f', record: measured }], { yardstick: 'f' })
  if (!summary) throw new Error('nothing to sum up')
  const about = { key: 'k', scheme: 'static-w8a8', runtime: 'litert', bytes: 1 } as const
  return measuredRow({ ...about, yardstick: 'f', summary, host: { whole: host, slice: host } })
}

t.test('a slow device that runs out of time loses nothing by it', async (t) => {
  const host = await whole()
  t.equal(host.accuracy, 0.5)
  // Half of the samples are answered wrong, here and there alike, and those it has time for hold more of them.
  let answered = 0
  const until = 9
  const slow = await evaluate(
    session(errsOn, () => {
      answered += 1
      return answered < until ? undefined : new Promise((resolve) => setTimeout(resolve, 60))
    }),
    dataset,
    { stopAfterMs: 50 },
  )
  t.ok(slow.samples >= 1 && slow.samples < SAMPLES, `${slow.samples} answered`)
  t.not(slow.accuracy, host.accuracy, 'its accuracy over those few is another number')
  t.same(probeRecordSchema.shape.quality.parse(JSON.parse(JSON.stringify(slow))), slow)
  t.match(differenceFrom(host, slow), {
    samples: slow.samples,
    accuracy: 0,
    agreement: 0,
    pValue: 1,
  })
  t.ok(Math.abs(differenceFrom(host, slow)?.sqnrDb ?? 1) < 0.01)
  const { quality, notes } = row(host, slow)
  t.match(quality, { basis: 'labels', accuracy: 0.5, drop: 0.5, agreement: 0.5 })
  t.equal(notes.length, 0)
})

t.test('one sample of who is behind says nothing of its accuracy', async (t) => {
  const host = await whole()
  const one = await evaluate(
    session(() => true),
    dataset,
    { stopAfterMs: 0 },
  )
  t.equal(one.samples, 1)
  t.ok((row(host, one).quality.drop ?? 0) > 0.9, 'all of one')
  t.match(row(host, one, ['behind']), { quality: { accuracy: 0.5, drop: 0.5 }, notes: [] })
})

t.test('a device that says how many it answered and not which is not compared', async (t) => {
  const host = await whole()
  const { answers: _, ...few } = await evaluate(
    session(() => true),
    dataset,
  )
  const { quality, notes } = row(host, qualityRecordSchema.parse({ ...few, samples: 12 }))
  t.match(quality, { accuracy: 0.5 })
  t.match(notes, [/slow answered 12 samples and does not say which: its answers are not compared/])
  const all = row(host, few)
  t.match(all.quality, { accuracy: 0 }, 'all samples are the same samples')
  t.match(all.notes, [/devices answer 50.0 pt worse than this host on the same 40 samples/])
})

t.test('what a device really answers worse is found, with its chance', async (t) => {
  const host = await evaluate(
    session(() => false),
    dataset,
    { energies: true },
  )
  const worse = await evaluate(
    session((sample) => sample < 8),
    dataset,
  )
  const found = differenceFrom(host, worse)
  t.match(found, { samples: SAMPLES, accuracy: 0.2 })
  t.ok(Math.abs((found?.pValue ?? 0) - 2 * 0.5 ** 8) < 1e-9, 'eight of eight tosses')
  t.ok((found?.sqnrDb ?? 0) > 5, 'noise too is compared on the same samples')
  t.match(row(host, worse).notes, [/20.0 pt worse than this host .* \(McNemar p = 0.0078\)/])
  const one = await evaluate(
    session((sample) => sample === 3),
    dataset,
  )
  t.match(row(host, one).notes, [/2.5 pt worse .* p = 1.0, which may be chance\)/])
})
