import t from 'tap'
import { compareModels } from '../../../../planner/comparison/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import type { Dataset } from '../../../../shared/dataset/index.ts'
import { invariant } from '../../../../shared/errors.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { demoData, floatFile } from '../../comparison/models.ts'
import { BOXES_AND_SCORES, noise } from '../boxes-and-scores.ts'
import { buildTflite } from '../model-builder.ts'

t.setTimeout(180_000)

const SAMPLES = 24

t.test('what codes of an activation lose is what its distribution says', async (t) => {
  const { losses } = await quantize({
    ...{ model: buildTflite(BOXES_AND_SCORES), target: 'litert' },
    ...{ scheme: parseScheme('static-w8a8'), calibration: noise({ x: [1, 8] }) },
  })
  const x = losses.find(({ operator }) => operator === 'input')
  t.match(x, { layer: 'x', of: 'output', type: 'int8' })
  // Uniform between −1 and 1, in steps of 2/255: signal 1/3, noise step²/12.
  const expected = 10 * Math.log10(1 / 3 / ((2 / 255) ** 2 / 12))
  t.ok(Math.abs((x?.sqnrDb ?? 0) - expected) < 0.3, `${x?.sqnrDb} dB, ${expected} dB`)
  const levels = losses.map(({ sqnrDb }) => sqnrDb)
  t.same(
    levels,
    [...levels].sort((a, b) => a - b),
    'worst first',
  )
})

const ofDemo = (scheme: string, calibration?: Dataset) =>
  quantize({
    ...{ model: floatFile.bytes, target: 'litert', scheme: parseScheme(scheme) },
    ...(calibration && { calibration, options: { recovery: ['bias-correction'] } }),
  })

t.test(
  'of weights, all that is written counts, as the comparison of both files has it',
  async (t) => {
    const { bytes, losses } = await ofDemo('dynamic-w8')
    const { weights } = await beside(bytes)
    t.ok(losses.length > 3 && losses.every((loss) => loss.of === 'weights'))
    for (const { layer, sqnrDb } of losses) {
      const found = weights.find((one) => one.layer === layer && one.role === 'weight')
      t.ok(Math.abs((found?.sqnrDb ?? 0) - sqnrDb) < 0.01, `${layer}: ${sqnrDb}, ${found?.sqnrDb}`)
    }
  },
)

t.test('of outputs, no more than once all before has lost too', async (t) => {
  const { bytes, losses } = await ofDemo('static-w8a8', await demoData(SAMPLES))
  const { layers } = await beside(bytes)
  for (const { layer, sqnrDb } of losses.filter((loss) => loss.of === 'output')) {
    const found = layers.find(({ name }) => name === layer)
    t.ok(sqnrDb > (found?.sqnrDb ?? 200) - 1, `${layer}: ${sqnrDb}, ${found?.sqnrDb}`)
  }
})

t.test('where nothing is in codes, nothing is lost by them', async (t) => {
  t.same((await ofDemo('float16')).losses, [])
})

async function beside(bytes: Uint8Array) {
  const file = { file: 'quantized.tflite', format: 'tflite', bytes } as const
  const dataset = await demoData(SAMPLES)
  const request = { float: floatFile, quantized: [file], dataset, latencyMs: 0 }
  const [compared] = (await compareModels(request)).quantized
  invariant(compared !== undefined, 'one was given')
  return compared
}
