import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readDataset, toDataset } from '../../../shared/dataset/dataset.ts'
import { evaluate } from '../../../shared/measure/evaluate.ts'
import { OutputError } from '../../../shared/measure/output-error.ts'
import { qualityRecordSchema } from '../../../shared/measure/quality-record.ts'
import { loadRuntime } from '../../../shared/runtime/load-runtime.ts'
import { type Tensor, tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'
import { leakOf } from '../../leak.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'

const litert = await loadRuntime('litert')
const float = await litert.load(modelBytes('dense.tflite'))
const int8 = await litert.load(modelBytes('dense-int8.tflite'))
t.teardown(async () => {
  await float.close()
  await int8.close()
})

/** Rows in [-2, 2), the range that dense-int8 was calibrated on; labels are the float model's answers, a few wrong. */
async function makeData(samples: number, wrong: number) {
  const x = Float32Array.from({ length: samples * 4 }, (_, i) => ((i * 37) % 64) / 16 - 2)
  const unlabelled = toDataset(new Map([['x', tensor('float32', [samples, 4], x)]]), 'made')
  const answers: number[] = []
  const outputs = new Float32Array(samples * 3)
  for (let i = 0; i < samples; i++) {
    const row = tensor('float32', [1, 4], x.subarray(4 * i, 4 * i + 4))
    const scores = [...((await float.run({ x: row })).scores?.data ?? [])].map(Number)
    outputs.set(scores, 3 * i)
    answers.push(scores.indexOf(Math.max(...scores)))
  }
  const labels = Int32Array.from(answers, (answer, i) => (i < wrong ? (answer + 1) % 3 : answer))
  const arrays = new Map<string, Tensor>([
    ['x', tensor('float32', [samples, 4], x)],
    ['y', tensor('int32', [samples], labels)],
    ['reference', tensor('float32', [samples, 3], outputs)],
  ])
  return { unlabelled, labelled: toDataset(arrays, 'made'), arrays }
}

t.test('a model beside itself differs in nothing', async (t) => {
  const { labelled } = await makeData(40, 4)
  const record = await evaluate(float, labelled, { reference: float })
  t.match(record, {
    samples: 40,
    accuracy: 0.9,
    referenceAccuracy: 0.9,
    agreement: 1,
    sqnrDb: 200,
    maxAbsError: 0,
    notFinite: 0,
    mcnemar: { onlyThisRight: 0, onlyReferenceRight: 0, pValue: 1 },
    notes: [],
  })
  t.same(qualityRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
})

t.test('int8 against float: close, and the same from a model as from stored outputs', async (t) => {
  const { labelled } = await makeData(60, 0)
  const run = await evaluate(int8, labelled, { reference: float })
  const stored = await evaluate(int8, labelled)
  t.same(stored, run)
  t.ok((run.sqnrDb ?? 0) > 25 && (run.sqnrDb ?? 0) < 60, `${run.sqnrDb} dB`)
  t.ok((run.maxAbsError ?? 1) < 0.05, `${run.maxAbsError}`)
  t.ok((run.agreement ?? 0) > 0.9, `${run.agreement}`)
  t.equal(run.referenceAccuracy, 1)
})

t.test('without labels, without reference', async (t) => {
  const { unlabelled, arrays } = await makeData(10, 0)
  const agreementOnly = await evaluate(int8, unlabelled, { reference: float })
  t.equal(agreementOnly.accuracy, null)
  t.equal(agreementOnly.mcnemar, null)
  t.ok((agreementOnly.agreement ?? 0) > 0.5)
  t.match(agreementOnly.notes, [{ code: 'no-labels', message: /only agreement/ }])
  const nothing = await evaluate(int8, unlabelled)
  t.same(
    nothing.notes.map((note) => note.code),
    ['no-labels', 'no-reference'],
  )
  t.equal(nothing.sqnrDb, null)
  arrays.delete('reference')
  const accuracyOnly = await evaluate(float, toDataset(arrays, 'made'))
  t.equal(accuracyOnly.accuracy, 1)
  t.equal(accuracyOnly.agreement, null)
})

t.test('answers that are no numbers are told, and like no reference', async (t) => {
  const error = new OutputError('y')
  error.add([1, Number.NaN, 3], [1, 2, 3])
  t.equal(error.summary().sqnrDb, -200)
  const same = new OutputError('y')
  same.add([1, Number.NEGATIVE_INFINITY], [1, Number.NEGATIVE_INFINITY])
  t.equal(same.summary().sqnrDb, 200, 'a mask beside itself')
  const hidden = new OutputError('y')
  hidden.add([1], [Number.NaN])
  t.equal(hidden.summary().sqnrDb, -200, 'nor is a number like what is none')
})

t.test('outputs that score no classes', async (t) => {
  const session = await litert.load(modelBytes('two-inputs.tflite'))
  const data = toDataset(
    new Map([
      ['left', tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
      ['right', tensor('float32', [2, 1], Float32Array.of(1, 2))],
      ['reference.also', tensor('float32', [2, 1], Float32Array.of(2, 5))],
    ]),
    'made',
  )
  const record = await evaluate(session, data)
  const also = record.outputs.find((output) => output.name === 'also')
  t.equal(also?.maxAbsError, 1, '2×2 against 5')
  t.equal(also?.meanAbsError, 0.5)
  t.ok(Math.abs((also?.sqnrDb ?? 0) - 10 * Math.log10(29)) < 1e-9)
  await session.close()
})

t.test('answers beyond all numbers are an error', async (t) => {
  const session = await litert.load(modelBytes('two-inputs.tflite'))
  const data = toDataset(
    new Map([
      ['left', tensor('float32', [2, 3], new Float32Array(6))],
      ['right', tensor('float32', [2, 1], Float32Array.of(1, 3e38))],
    ]),
    'made',
  )
  const { notFinite, notes } = await evaluate(session, data)
  t.ok(notFinite > 0)
  t.match(
    notes.find(({ severity }) => severity === 'error'),
    { code: 'not-finite', message: new RegExp(`answers ${notFinite} times NaN or infinity`) },
  )
  await session.close()
})

t.test('what belongs to another model is refused', async (t) => {
  const { arrays } = await makeData(4, 0)
  const withArrays = (more: [string, Tensor][]) => toDataset(new Map([...arrays, ...more]), 'made')
  const beyond = withArrays([['y', tensor('int32', [4], Int32Array.of(0, 1, 2, 3))]])
  await t.rejects(evaluate(float, beyond), { code: 'wrong-labels' })
  const other = withArrays([['reference', tensor('float32', [4, 5], new Float32Array(20))]])
  await t.rejects(evaluate(float, other), { code: 'wrong-shape' })
  const two = await litert.load(modelBytes('two-inputs.tflite'))
  await t.rejects(evaluate(float, withArrays([]), { reference: two }), { name: 'DatasetError' })
  await two.close()
})

t.test('memory is flat in the number of samples', async (t) => {
  const { labelled } = await makeData(500, 0)
  const leak = await leakOf(async () => {
    for (let i = 0; i < 2; i++) await evaluate(float, labelled)
  })
  t.ok(leak < 2e6, `${(leak / 1e6).toFixed(1)} MB more after 1000 samples`)
})

const data = sharedData()

t.test(
  'published accuracies of kws01',
  data === undefined ? { skip: WITHOUT_SHARED_DATA } : {},
  async (t) => {
    const folder = join(data ?? '', 'mlperf-tiny')
    const open = (name: string) => litert.load(readFileSync(join(folder, name)))
    const [first, second] = [
      await open('kws01_float32.tflite'),
      await open('kws01_reference_int8.tflite'),
    ]
    const record = await evaluate(second, await readDataset(join(folder, 'kws01_test.npz')), {
      reference: first,
    })
    t.equal(record.samples, 400)
    // The C library without XNNPACK gives 0.8975 and 0.8875, as do our builtin kernels; XNNPACK rounds otherwise.
    t.ok(Math.abs((record.referenceAccuracy ?? 0) - 0.8975) <= 0.011, `${record.referenceAccuracy}`)
    t.ok(Math.abs((record.accuracy ?? 0) - 0.8875) <= 0.011, `${record.accuracy}`)
    await first.close()
    await second.close()
  },
)
