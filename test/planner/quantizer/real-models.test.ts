import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { readDataset } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'

const data = sharedData()
t.test('real models', { skip: data === undefined && WITHOUT_SHARED_DATA }, async (t) => {
  const litert = await loadRuntime('litert')
  const load = async (name: string) => {
    const at = (kind: string) => join(data ?? '', 'mlperf-tiny', `${name}_${kind}`)
    return {
      float: new Uint8Array(readFileSync(at('float32.tflite'))),
      reference: new Uint8Array(readFileSync(at('reference_int8.tflite'))),
      calibration: await readDataset(at('calibration.npz')),
      test: await readDataset(at('test.npz')),
    }
  }

  t.test('ic01: more like the float model than the converter, and smaller', async (t) => {
    const ic01 = await load('ic01')
    const { bytes, operators } = await quantize({
      model: ic01.float,
      target: 'litert',
      scheme: parseScheme('static-w8a8-io8'),
      calibration: ic01.calibration,
    })
    t.equal(operators.float, 0)
    t.ok(bytes.length <= 100_000, `${bytes.length} bytes`)
    const float = await litert.load(ic01.float)
    const ours = await evaluate(await litert.load(bytes), ic01.test, { reference: float })
    const theirs = await evaluate(await litert.load(ic01.reference), ic01.test, {
      reference: float,
    })
    const { accuracy, agreement, sqnrDb } = ours
    t.ok(
      (accuracy ?? 0) >= (theirs.accuracy ?? 1),
      `accuracy ${accuracy}, theirs ${theirs.accuracy}`,
    )
    t.ok((agreement ?? 0) >= 0.97, `agreement ${agreement}, theirs ${theirs.agreement}`)
    t.ok((sqnrDb ?? 0) >= 24, `${sqnrDb} dB, theirs ${theirs.sqnrDb}`)
  })

  t.test('kws01: its integer weights are noticed and turned back', async (t) => {
    const kws01 = await load('kws01')
    const { bytes, findings } = await quantize({
      model: kws01.float,
      target: 'litert',
      scheme: parseScheme('static-w8a8-io8'),
      calibration: kws01.calibration,
    })
    t.match(findings[0], {
      code: 'source-already-quantized',
      message: /5 constants as integer numbers/,
    })
    const float = await litert.load(kws01.float)
    const { agreement } = await evaluate(await litert.load(bytes), kws01.test, { reference: float })
    t.ok((agreement ?? 0) >= 0.97, `agreement ${agreement}`)
  })

  t.test('kws01: dynamic-w8 has nothing to add to weights that are integers', async (t) => {
    const { float: model } = await load('kws01')
    const scheme = parseScheme('dynamic-w8')
    await t.rejects(quantize({ model, target: 'litert', scheme }), {
      code: 'nothing-to-quantize',
      message: /the source stores 5 constants as integer numbers .* kept as they are/,
    })
  })
})
