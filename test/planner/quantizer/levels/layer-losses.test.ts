import t from 'tap'
import { compareModels } from '../../../../planner/comparison/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { demoData, floatFile } from '../../comparison/models.ts'
import { BOXES_AND_SCORES, noise } from '../boxes-and-scores.ts'
import { buildTflite } from '../model-builder.ts'

const inScheme = (scheme: string) =>
  quantize({
    model: buildTflite(BOXES_AND_SCORES),
    target: 'litert',
    scheme: parseScheme(scheme),
    ...(scheme.startsWith('static') && { calibration: noise({ x: [1, 8] }) }),
  })

t.test('what codes of an activation lose is what its distribution says', async (t) => {
  const { losses } = await inScheme('static-w8a8')
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

t.test(
  'of weights, all that is written counts: as the comparison of both files finds',
  async (t) => {
    const calibration = await demoData(24)
    const scheme = parseScheme('static-w8a8')
    const { bytes, losses } = await quantize({
      ...{ model: floatFile.bytes, target: 'litert', scheme, calibration },
      options: { recovery: ['bias-correction'] },
    })
    const file = { file: 'quantized.tflite', format: 'tflite', bytes } as const
    const request = { float: floatFile, quantized: [file], dataset: calibration, latencyMs: 0 }
    const [compared] = (await compareModels(request)).quantized
    t.comment(`${losses.length} losses`)
    const weights = losses.filter((loss) => loss.of === 'weights')
    t.ok(weights.length > 0)
    for (const { layer, sqnrDb } of weights) {
      const found = compared?.weights.find((one) => one.layer === layer && one.role === 'weight')
      t.ok(Math.abs((found?.sqnrDb ?? 0) - sqnrDb) < 0.01, `${layer}: ${sqnrDb}, ${found?.sqnrDb}`)
    }
    for (const { layer, sqnrDb } of losses.filter((loss) => loss.of === 'output')) {
      const found = compared?.layers.find(({ name }) => name === layer)
      // Theirs holds what the layers before lost too.
      t.ok(
        found === undefined || sqnrDb > found.sqnrDb - 1,
        `${layer}: ${sqnrDb}, ${found?.sqnrDb}`,
      )
    }
  },
)

t.test('where nothing is in codes, nothing is lost by them', async (t) => {
  t.same((await inScheme('float16')).losses, [])
})
