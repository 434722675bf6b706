import t from 'tap'
import { viewOf } from '../../../../planner/formats/tflite/view.ts'
import { linksOf } from '../../../../planner/graph/index.ts'
import { levelFindings } from '../../../../planner/quantizer/levels/findings.ts'
import { judge } from '../../../../planner/quantizer/levels/judge.ts'
import { channelsOf } from '../../../../planner/quantizer/levels/slices.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { BOXES_AND_SCORES, noise } from '../boxes-and-scores.ts'
import { buildModel, buildTflite } from '../model-builder.ts'

const graph = viewOf(buildModel(BOXES_AND_SCORES))
const y = graph.subgraphs[0]?.outputs[0] ?? -1
const inBytes = (minSqnrDb?: number) =>
  quantize({
    model: buildTflite(BOXES_AND_SCORES),
    target: 'litert',
    scheme: parseScheme('static-w8a8-io8'),
    calibration: noise({ x: [1, 8] }),
    options: minSqnrDb === undefined ? {} : { minSqnrDb },
  })

t.test('channels are what a concatenation brought together', async (t) => {
  t.same(channelsOf(y, [1, 10], graph, linksOf(graph)), [
    {
      axis: 1,
      parts: [
        { start: 0, end: 4 },
        { start: 4, end: 10 },
      ],
      merge: 3,
      alike: false,
    },
  ])
})

t.test('channels of very different range are judged apart, whatever made them', async (t) => {
  const expected = [Float32Array.of(300, -200, 0.5, 0.25), Float32Array.of(100, 50, -0.75, 1)]
  const found = expected.map((values) => values.map((value) => Math.round(value / 4) * 4))
  const whole = { start: 0, end: 4 }
  const channels = [{ axis: 1, parts: [whole], merge: null, alike: false }]
  const level = judge({ name: 'y', shape: [1, 4], channels, expected, found })
  t.match(level.slices, [
    { name: 'y[..., 0:2]', died: null },
    { name: 'y[..., 2:4]', died: 'one-code' },
  ])
  t.ok(level.sqnrDb > 40, 'which the whole does not show')
})

/** Answers of two numbers, the second with so much noise. */
const noisyBy = (noises: readonly number[]) =>
  judge({
    name: 'y',
    shape: [1, 2],
    channels: [],
    expected: noises.map(() => Float32Array.of(1, 0)),
    found: noises.map((one) => Float32Array.of(1, one)),
  })

t.test('a level says how far off other samples may be', async (t) => {
  const alike = noisyBy([0.031, 0.032, 0.033, 0.032, 0.031, 0.033, 0.032, 0.032])
  t.ok(alike.sqnrDb > 29 && alike.sqnrDb < 31)
  t.ok(Number(alike.spreadDb) > 0 && Number(alike.spreadDb) < 0.5, `${alike.spreadDb} dB`)
  const apart = noisyBy([0.001, 0.001, 0.001, 0.09, 0.001, 0.001, 0.001, 0.001])
  t.ok(apart.sqnrDb > 29 && apart.sqnrDb < 31, 'as much noise in one sample as in eight')
  t.ok(Number(apart.spreadDb) > 10, `${apart.spreadDb} dB`)
  const two = noisyBy([0.03, 0.034])
  t.ok(Number(two.spreadDb) > 5, 'two say less than eight')
  t.equal(noisyBy([0.03]).spreadDb, null)
  t.equal(noisyBy([0, 0, 0]).spreadDb, 0)
})

t.test('a level that few samples do not settle is told so', async (t) => {
  const found = (noises: readonly number[]) =>
    levelFindings(
      { samples: noises.length, heldOut: true, outputs: [noisyBy(noises)] },
      'try nothing',
      undefined,
    )
  t.same(found(Array(8).fill(0.032)), [])
  t.match(found([0.001, 0.001, 0.001, 0.09]), [
    {
      code: 'level-uncertain',
      severity: 'warning',
      where: 'y',
      message: /^output "y" .* 4 samples /,
    },
  ])
  t.match(found([0.03]), [{ code: 'level-uncertain', message: /one sample says nothing/ }])
  const mayChange = [{ code: 'level-uncertain', severity: 'warning' }]
  t.match(found([0.07, 0.08, 0.1, 0.11]), mayChange, 'answers may change')
  const high = [{ code: 'level-uncertain', severity: 'info' }]
  t.match(found([0.0001, 0.0001, 0.0001, 0.004]), high, 'high all the same')
  t.same(found([0.00001, 0.0001, 0.0002, 0.00001]), [], 'nobody hears of it')
})

t.test('a slice that died is told by name, with what to try', async (t) => {
  const { findings, level } = await inBytes()
  t.ok((level?.outputs[0]?.sqnrDb ?? 0) > 30)
  t.match(
    findings.filter(({ code }) => code === 'slice-died'),
    [{ severity: 'warning', where: 'y[..., 4:10]', message: /^y\[..., 4:10\] .*: try / }],
  )
})

t.test('a level that is asked for and not reached is an error', async (t) => {
  const { findings } = await inBytes(20)
  t.match(
    findings.filter(({ severity }) => severity === 'error'),
    [{ code: 'level-missed', message: /y\[..., 4:10\] died, and 20 dB were asked for/ }],
  )
})

t.test('a level without samples to see it on is refused', async (t) => {
  const order = {
    model: buildTflite(BOXES_AND_SCORES),
    target: 'litert',
    scheme: parseScheme('float16'),
    options: { minSqnrDb: 20 },
  } as const
  await t.rejects(quantize(order), { code: 'calibration-missing', message: /--calibration/ })
})
