import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { optionsForRelease } from '../../../planner/variants/old-release.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { readDataset, takeSamples } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'
import { fitment } from '../cli/run-fitment.ts'
import { SMALL_MODEL } from './small-model.ts'

const FOLDER = join(process.cwd(), 'planner', 'demo', 'motor-faults')

t.test(
  'an old library answers right only to a file made for it',
  { skip: lacks('tflite') },
  async (t) => {
    const calibration = takeSamples(await readDataset(join(FOLDER, 'calibration.npz')), 64)
    const test = takeSamples(await readDataset(join(FOLDER, 'test.npz')), 180)
    const native = await loadRuntime('tflite', { library: nativePath('tflite') })
    const accuracyOf = async (scheme: string, options: object) => {
      const order = {
        model: readFileSync(SMALL_MODEL),
        target: 'litert',
        calibration,
        options,
      } as const
      const { bytes } = await quantize({ ...order, scheme: parseScheme(scheme) })
      const session = await native.load(bytes)
      const { accuracy } = await evaluate(session, test)
      await session.close()
      return accuracy ?? 0
    }
    const release = native.version
    t.equal(release, '2.9.0')
    t.ok(
      (await accuracyOf('static-w8a8', {})) < 0.5,
      'a scale per channel of a fully-connected layer',
    )
    t.ok((await accuracyOf('static-w8a8', optionsForRelease(release))) > 0.85)
    t.ok((await accuracyOf('dynamic-w8', optionsForRelease(release))) > 0.85)
  },
)

t.test(
  'quantize calibrates and judges in the library that it is given',
  { skip: lacks('tflite') },
  async (t) => {
    const output = join(t.testdir({}), 'q.tflite')
    const files = [SMALL_MODEL, '--calibration', join(FOLDER, 'calibration.npz'), '-o', output]
    const quantized = (library: string) =>
      fitment(
        'quantize',
        ...files,
        '--scheme',
        'static-w8a8',
        '--target',
        '2.9',
        '--runtime',
        'tflite',
        '--library',
        library,
        '--json',
      )
    const ran = await quantized(nativePath('tflite'))
    t.equal(ran.code, 0, ran.err)
    t.match(JSON.parse(ran.out), { level: { outputs: [{ sqnrDb: Number }] } })
    const without = await quantized('/nowhere/libtensorflowlite_c.so')
    t.equal(without.code, 1)
    t.match(without.err, /libtensorflowlite_c\.so does not exist/)
  },
)
